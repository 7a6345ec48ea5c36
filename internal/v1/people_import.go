package v1

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/bulk"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// mediaTable is the media type of a table.
const mediaTable = "text/csv"

// PeopleImportEndpoints returns the route that imports people.
func PeopleImportEndpoints(s *bulk.Service) []endpoint.Endpoint {
	r := importRoutes{s}
	return []endpoint.Endpoint{
		endpoint.New(http.MethodPost, "/v1/people/import", "Import up to 10,000 people from a table or JSON lines, with a report for each line",
			access.Admin(access.KindPeople, access.Write), r.run).Takes(mediaTable, endpoint.MediaLines),
	}
}

type importRoutes struct{ bulk *bulk.Service }

// importInput says how people are imported.
type importInput struct {
	Mode   opt.Value[string] `query:"mode" rule:"enum=atomic|each,notnull"`
	DryRun opt.Value[bool]   `query:"dry_run" rule:"notnull"`
	Update opt.Value[bool]   `query:"update" rule:"notnull"` // give names and groups also to people who are there
	Invite opt.Value[bool]   `query:"invite" rule:"notnull"` // send an e-mail to those who are made
}

func (r importRoutes) run(ctx context.Context, c *endpoint.Call, in importInput) (bulkAnswer, error) {
	lines, err := readPeople(c)
	if err != nil {
		return bulkAnswer{}, err
	}
	req, err := bulkRequest(c, in.Mode.Or(string(bulk.Each)), in.DryRun.V)
	if err != nil {
		return bulkAnswer{}, err
	}
	how := fmt.Sprintln("people", req.Mode, req.DryRun, in.Update.V, in.Invite.V)
	req.Print = sha256.Sum256(append([]byte(how), c.Raw()...))
	name := func(i int, res *bulkResult) { res.Line, res.Email = lines[i].Number, lines[i].Email }
	return answerBulk(c, req, name, func(req bulk.Request) (*bulk.Report, error) {
		report, trial, err := r.bulk.ImportPeople(ctx, c.Who, lines, bulk.Import{
			Request: req, Update: in.Update.V, Invite: in.Invite.V, Route: c.Route(),
		})
		keepTrial(c, trial)
		return report, err
	})
}

// readPeople reads the lines of a body.
func readPeople(c *endpoint.Call) ([]bulk.Line, error) {
	media, _, _ := strings.Cut(c.Request.Header.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(media), endpoint.MediaLines) {
		return bulk.ReadLines(c.Raw())
	}
	return bulk.ReadTable(c.Raw())
}
