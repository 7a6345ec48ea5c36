package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDatasetEnds goes away in the middle of answers, and looks whether the
// queries end: were they to go on, they would hold all connections.
func TestDatasetEnds(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		srv := httptest.NewServer(in.api)
		defer srv.Close()
		many := `{"query":` + native("WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x, 'some text to fill the pipe with' FROM n", "") + `}`
		slow := native("WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n", "")
		for _, one := range []struct{ path, body string }{{"/api/dataset/csv", many}, {"/api/dataset/json", many}, {"/api/dataset", slow}} {
			for range 4 {
				ctx, cancel := context.WithCancel(t.Context())
				r, err := http.NewRequestWithContext(ctx, "POST", srv.URL+one.path, strings.NewReader(one.body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set(in.callers["bo"][0], in.callers["bo"][1])
				if one.body == slow {
					time.AfterFunc(100*time.Millisecond, cancel)
				}
				answer, err := http.DefaultClient.Do(r)
				if err == nil {
					if _, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil && one.path == "/api/dataset/csv" {
						t.Errorf("%s: %v", one.path, err)
					}
					cancel()
					_ = answer.Body.Close()
				}
				cancel()
			}
		}
		began := time.Now()
		in.ask(t, "bo", "/api/dataset", native("SELECT 1", ""), http.StatusAccepted)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the next query waited for %s", took)
		}
	})
}

// TestDatasetKeys is about keys that may do less than their group.
func TestDatasetKeys(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		for name, restriction := range map[string]string{
			"readonly": `{"read_only":true}`,
			"bound":    `{"resources":{"databases":["1"]}}`,
			"away":     `{"resources":{"databases":["2"]}}`,
			"scoped":   `{"scopes":["databases:read"]}`,
			"queries":  `{"scopes":["queries:read"]}`,
		} {
			in.addRestricted(t, name, restriction)
		}
		q := native("SELECT 1 AS a", "")
		for _, tt := range []struct {
			who, call, body string
			status          int
		}{
			{"readonly", "POST /api/dataset", q, 202},
			{"readonly", "POST /api/dataset/csv", `{"query":` + q + `}`, 200},
			{"readonly", "POST /api/database/1/sync_schema", `{}`, 403},
			{"bound", "POST /api/dataset", q, 202},
			{"bound", "POST /api/dataset/json", `{"query":` + q + `}`, 200},
			{"bound", "GET /api/database/1", "", 200},
			{"bound", "GET /api/table/1", "", 200},
			{"bound", "GET /api/field/1/values", "", 200},
			{"bound", "GET /api/database", "", 403},
			{"bound", "GET /api/table", "", 403},
			{"away", "POST /api/dataset", q, 403},
			{"away", "POST /api/dataset/native", q, 403},
			{"away", "POST /api/dataset/csv", `{"query":` + q + `}`, 403},
			{"away", "POST /api/dataset/csv", `{"query":"` + strings.ReplaceAll(q, `"`, `\"`) + `"}`, 403},
			{"away", "POST /api/dataset/query_metadata", q, 403},
			{"away", "GET /api/database/1/metadata", "", 403},
			{"away", "GET /api/table/1/query_metadata", "", 403},
			{"away", "GET /api/field/1", "", 403},
			{"scoped", "POST /api/dataset", q, 403},
			{"scoped", "GET /api/database", "", 200},
			{"queries", "POST /api/dataset", q, 202},
			{"queries", "GET /api/database", "", 403},
		} {
			method, target, _ := strings.Cut(tt.call, " ")
			if rec := in.do(tt.who, method, target, tt.body); rec.Code != tt.status {
				t.Errorf("%s: %s %s: %d %s", tt.who, tt.call, tt.body, rec.Code, rec.Body)
			}
		}
	})
}
