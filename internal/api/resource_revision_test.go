package api_test

import (
	"encoding/json"
	"testing"
)

// TestHistoryNeedsTheScopeOfWhatIsNamed: a restricted key needs for the history
// of a question the scope of questions alone, and for that of a dashboard the
// scope of dashboards alone; one that is bound to single ones reaches those.
func TestHistoryNeedsTheScopeOfWhatIsNamed(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.sqlCard(t, "card", "{ops}", `SELECT 1`, "")
		in.run(t, []row{{"a dashboard", "ada", "POST /api/dashboard", `{"name":"D","collection_id":{ops}}`, 200, "-", []string{`"id":1,`}, nil}})
		revision := func(entity, id string) string {
			var list []struct{ ID int64 }
			rec := in.do("ada", "GET", in.fill("/api/revision?entity="+entity+"&id="+id), "")
			if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || len(list) == 0 {
				t.Fatalf("%s", rec.Body)
			}
			return jsonText(list[0].ID)
		}
		in.names["of_card"], in.names["of_dashboard"] = revision("card", "{card}"), revision("dashboard", "1")
		for name, restriction := range map[string]string{
			"cards":     `{"scopes":["cards:read","cards:write"]}`,
			"boards":    `{"scopes":["dashboards:read","dashboards:write"]}`,
			"looks":     `{"scopes":["dashboards:read"]}`,
			"one_card":  `{"resources":{"cards":[{card}]}}`,
			"one_board": `{"resources":{"dashboards":[1]}}`,
			"other":     `{"scopes":["collections:read","collections:write"]}`,
			"fields":    `{"fields":{"dashboards":["entity","id","revision_id"]}}`,
		} {
			in.addRestricted(t, name, restriction)
		}
		const card, board = "GET /api/revision?entity=card&id={card}", "GET /api/revision?entity=dashboard&id=1"
		const revert = "POST /api/revision/revert"
		const revertCard = `{"entity":"card","id":{card},"revision_id":{of_card}}`
		const revertBoard = `{"entity":"dashboard","id":1,"revision_id":{of_dashboard}}`
		rows := []row{}
		for _, c := range []struct {
			who                     string
			card, board, back, home int
		}{
			{"cards", 200, 403, 200, 403},
			{"boards", 403, 200, 403, 200},
			{"looks", 403, 200, 403, 403},
			{"one_card", 200, 403, 200, 403}, // a dashboard shows other cards too
			{"other", 403, 403, 403, 403},
			{"fields", 200, 200, 200, 200},
		} {
			add := func(call, body string, status int) {
				want := "-"
				if status == 403 {
					want = noPermission
				}
				rows = append(rows, row{c.who + " " + body, c.who, call, body, status, want, nil, nil})
			}
			add(card, "", c.card)
			add(board, "", c.board)
			add(revert, revertCard, c.back)
			add(revert, revertBoard, c.home)
		}
		in.run(t, append(rows,
			row{"another dashboard", "one_board", "GET /api/revision?entity=dashboard&id=2", "", 403, noPermission, nil, nil},
			row{"its dashboard", "one_board", board, "", 200, "-", nil, nil},
			row{"another card", "one_card", "GET /api/revision?entity=card&id=99", "", 403, noPermission, nil, nil},
			row{"what we do not have", "cards", "GET /api/revision?entity=segment&id=1", "", 404, "Not found.", nil, nil},
		))
	})
}
