package api_test

import (
	"testing"

	"latchkey/internal/access"
)

func TestDashboardQuestionCandidates(t *testing.T) {
	const question = `"display":"table","visualization_settings":{},"dataset_query":{"type":"native","database":1,"native":{"query":"select 1"}},"collection_id":{ops}`
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addFolder(t, "Ops", access.RootCollection)
		in.run(t, []row{
			{name: "a question", who: "root", call: "POST /api/card", body: `{"name":"Orders",` + question + `}`, status: 200, want: "-", has: []string{`"id":1,`}},
			{name: "one that is nowhere", who: "root", call: "POST /api/card", body: `{"name":"Alone",` + question + `}`, status: 200, want: "-", has: []string{`"id":2,`}},
			{name: "a dashboard", who: "root", call: "POST /api/dashboard", body: `{"name":"KPIs","description":"d","collection_id":{ops}}`, status: 200, want: "-", has: []string{`"id":1,`}},
			{name: "that shows it", who: "root", call: "PUT /api/dashboard/1", body: `{"dashcards":[{"id":-1,"card_id":1,"row":0,"col":0,"size_x":4,"size_y":4}]}`, status: 200, want: "-"},

			{name: "items show what cards have", who: "root", call: "GET /api/collection/{ops}/items?q=orders", status: 200, want: "-",
				has: []string{`"display":"table","database_id":1,"collection_preview":true,"fully_parameterized":true,"dashboard_count":1`}},
			{name: "candidates", who: "root", call: "GET /api/collection/{ops}/dashboard-question-candidates", status: 200,
				want: `{"data":[{"id":1,"name":"Orders","description":null,"sole_dashboard_info":{"id":1,"name":"KPIs","description":"d"}}],"total":1}`},
			{name: "none in the root", who: "root", call: "GET /api/collection/root/dashboard-question-candidates", status: 200, want: `{"data":[],"total":0}`},
			{name: "plain", who: "bo", call: "GET /api/collection/{ops}/dashboard-question-candidates", status: 403, want: noPermission},
			{name: "unknown", who: "root", call: "GET /api/collection/999/dashboard-question-candidates", status: 404, want: "Not found."},
			{name: "anonymous", call: "GET /api/collection/{ops}/dashboard-question-candidates", status: 401, want: "Unauthenticated"},

			{name: "move no candidate", who: "root", call: "POST /api/collection/{ops}/move-dashboard-question-candidates", body: `{"card_ids":[1,2]}`, status: 400,
				want: `{"errors":{"card_ids":"The question 2 is on no dashboard of this collection alone."}}`},
			{name: "move, bad ids", who: "root", call: "POST /api/collection/{ops}/move-dashboard-question-candidates", body: `{"card_ids":["x"]}`, status: 400, want: "-", has: []string{`"errors":{"card_ids":`}},
			{name: "move, plain", who: "bo", call: "POST /api/collection/{ops}/move-dashboard-question-candidates", status: 403, want: noPermission},
			{name: "move", who: "root", call: "POST /api/collection/{ops}/move-dashboard-question-candidates", status: 200, want: `{"moved":[1]}`},
			{name: "it lives there", who: "root", call: "GET /api/collection/{ops}/items?show_dashboard_questions=true&q=orders", status: 200, want: "-", has: []string{`"dashboard_id":1,"dashboard":{"id":1,"name":"KPIs"}`}},
			{name: "move in the root", who: "root", call: "POST /api/collection/root/move-dashboard-question-candidates", body: `{}`, status: 200, want: `{"moved":[]}`},
		})
	})
}
