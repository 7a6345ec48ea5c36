package web

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/fault"
)

// auditDialog is one entry with all that it says.
type auditDialog struct {
	auditRow
	Full    string // the time
	Changes []auditChange
	Facts   []auditFact
	Hash    string
	ByWho   string // addresses of more entries, "" for none
	OfObj   string
	Back    string
}

// auditChange is a field before and after.
type auditChange struct{ Field, Before, After string }

// auditFact is something that an entry says beside.
type auditFact struct{ Name, Value string }

// showAuditEntry shows an entry over the log.
func (p *page) showAuditEntry() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	found, err := p.site.Audit.List(p.ctx(), audit.Filter{After: id - 1, Before: id + 1, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fault.New(fault.NotFound, "Not found.")
	}
	b, err := p.auditBody()
	if err != nil {
		return err
	}
	d := newAuditDialog(found[0])
	d.Back = p.readAuditQuery().address(pathAudit, "before", p.r.URL.Query().Get("before")) + "#" + rowID("entry", id)
	return p.answer(http.StatusOK, "audit-entry", "Entry "+idText(id), b, d)
}

func newAuditDialog(r audit.Record) auditDialog {
	d := auditDialog{auditRow: newAuditRow(r), Full: r.At.UTC().Format("2 January 2006, 15:04:05.000 UTC"), Hash: hex.EncodeToString(r.Hash)}
	switch {
	case r.KeyID != 0:
		d.ByWho = pathAudit + "?key=" + idText(r.KeyID)
	case r.UserID != 0:
		d.ByWho = pathAudit + "?user=" + idText(r.UserID)
	}
	if r.ObjectID != 0 {
		d.OfObj = auditOf(r.ObjectKind, r.ObjectID)
	}
	d.Changes = changesOf(r.Details["previous"], r.Details["new"], r.Action)
	rest := maps.Clone(r.Details)
	delete(rest, "previous")
	delete(rest, "new")
	flat := map[string]string{}
	flatten(flat, "", rest)
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		d.Facts = append(d.Facts, auditFact{fieldWord(name), flat[name]})
	}
	return d
}

// changesOf lists the fields of which an entry says what they were or are.
func changesOf(before, after any, name string) []auditChange {
	was, is := map[string]string{}, map[string]string{}
	flatten(was, "", before)
	flatten(is, "", after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	var out []auditChange
	for _, field := range slices.Sorted(maps.Keys(all)) {
		c := auditChange{fieldWord(field), was[field], is[field]}
		if field == "" { // the value has no field: it is the whole
			c.Field = "Value"
			if strings.HasPrefix(name, "group.") {
				c.Field = "Name"
			}
		}
		out = append(out, c)
	}
	return out
}

// flatten puts a value into words, members of objects under their own names.
func flatten(into map[string]string, name string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		if v != nil || name != "" {
			into[name] = valueWord(v)
		}
		return
	}
	if len(m) == 0 && name != "" {
		into[name] = "nothing"
	}
	for key, member := range m {
		if name != "" {
			key = name + "." + key
		}
		flatten(into, key, member)
	}
}

// valueWord writes a value as people read it.
func valueWord(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return newMoment(t, t).Full
		}
		if v == "" {
			return "empty"
		}
		return v
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = valueWord(item)
		}
		if len(items) == 0 {
			return "none"
		}
		return strings.Join(items, ", ")
	}
	return fmt.Sprint(v)
}

// fieldWord writes the name of a field as people read it.
func fieldWord(name string) string {
	return sentence(strings.NewReplacer("_", " ", "-", " ", ".", " › ").Replace(name))
}
