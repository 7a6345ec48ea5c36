package clients_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/internal/apptest"
)

// login stores a key in a profile of mb, which asks the server who it is.
func (m mb) login(s *apptest.Server, profileName, key string) {
	m.t.Helper()
	var p profile
	m.want(&p, "auth", "login", "--profile", profileName, "--url", s.URL, "--api-key", key)
	if !p.Authenticated {
		m.t.Fatalf("profile %s: %+v", profileName, p)
	}
}

// as returns mb with another profile.
func (m mb) as(profileName string) mb {
	m.env = append(append([]string(nil), m.env...), "MB_PROFILE="+profileName)
	return m
}

// whole runs mb and decodes the answer with every member that the server sent,
// not only those that mb prints by itself.
func (m mb) whole(out any, args ...string) {
	m.t.Helper()
	m.want(out, append(args, "--full", "--max-bytes", "0")...)
}

// send runs mb with a JSON body and decodes the whole answer.
func (m mb) send(out, body any, args ...string) {
	m.t.Helper()
	m.whole(out, append(args, "--body", m.json(body))...)
}

func (m mb) json(v any) string {
	m.t.Helper()
	return mustJSON(m.t, v)
}

// listOf is the envelope that mb puts around every list.
type listOf[T any] struct {
	Data       []T
	Returned   int
	Total      *int
	HasMore    bool `json:"has_more"`
	NextOffset *int `json:"next_offset"`
}

// named is what all content has in common.
type named struct {
	ID           any
	Name         string
	Model        string
	Description  *string
	Archived     bool
	EntityID     string `json:"entity_id"`
	CollectionID *int64 `json:"collection_id"`
	Type         *string
}

// names returns what a list command of mb answers.
func (m mb) names(args ...string) []string {
	m.t.Helper()
	var list listOf[named]
	m.whole(&list, args...)
	out := make([]string, 0, len(list.Data))
	for _, row := range list.Data {
		out = append(out, row.Name)
	}
	return out
}

// num is an id as an argument of mb.
func num(id int64) string { return fmt.Sprint(id) }

type object = map[string]any

// sample waits until the sample database is connected, which set-up starts,
// and returns its id.
func sample(t *testing.T, s *apptest.Server) int64 {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var list struct {
			Data []struct {
				ID       int64
				IsSample bool   `json:"is_sample"`
				Status   string `json:"initial_sync_status"`
			}
		}
		s.Admin(200, &list, "GET", "/api/database", nil)
		for _, d := range list.Data {
			if d.IsSample && d.Status == "complete" {
				return d.ID
			}
		}
	}
	t.Fatal("no sample database after 30 seconds")
	return 0
}

// native is a query in SQL, in the form that scripts write by hand.
func native(database int64, sql string, tags object) object {
	query := object{"query": sql}
	if tags != nil {
		query["template-tags"] = tags
	}
	return object{"database": database, "type": "native", "native": query}
}

// mbql5 is a query in SQL, in the form that Metabase answers.
func mbql5(database int64, sql string, tags object) object {
	stage := object{"lib/type": "mbql.stage/native", "native": sql}
	if tags != nil {
		stage["template-tags"] = tags
	}
	return object{"lib/type": "mbql/query", "database": database, "stages": []object{stage}}
}

// question is the body that creates a card.
func question(name string, query object, more object) object {
	body := object{"name": name, "display": "table", "dataset_query": query, "visualization_settings": object{}}
	for k, v := range more {
		body[k] = v
	}
	return body
}
