package api

import (
	"context"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/warehouse"
)

type databaseRoutes struct{ warehouse *warehouse.Service }

type listDatabasesInput struct {
	Include opt.Value[string] `query:"include"`
	Saved   opt.Value[bool]   `query:"saved"`
}

type getDatabaseInput struct {
	ID      int64             `path:"id" rule:"posint"`
	Include opt.Value[string] `query:"include" rule:"enum=tables|tables.fields"`
}

type metadataInput struct {
	ID         int64           `path:"id" rule:"posint"`
	Hidden     opt.Value[bool] `query:"include_hidden"`
	Inactive   opt.Value[bool] `query:"remove_inactive"`
	SkipFields opt.Value[bool] `query:"skip_fields"`
}

type schemaInput struct {
	ID     int64           `path:"id" rule:"posint"`
	Schema string          `path:"schema"`
	Hidden opt.Value[bool] `query:"include_hidden"`
}

type suggestInput struct {
	ID        int64             `path:"id" rule:"posint"`
	Prefix    opt.Value[string] `query:"prefix"`
	Substring opt.Value[string] `query:"substring"`
}

// wireDatabases is the list of databases.
type wireDatabases struct {
	Data  []any `json:"data"`
	Total int   `json:"total"`
}

// savedID is the id of the database that stands for saved questions.
const savedID = -1337

// DatabaseEndpoints returns the routes of connected databases
// (contract/content-data.md 6.1).
func DatabaseEndpoints(w *warehouse.Service) []endpoint.Endpoint {
	r := databaseRoutes{w}
	read := access.Authenticated(access.KindDatabases, access.Read)
	one := read.Naming(access.KindDatabases, "id")
	change := access.Admin(access.KindDatabases, access.Write).Naming(access.KindDatabases, "id")
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/database", "List the connected databases", read, r.list),
		endpoint.New("GET", "/api/database/{id}", "Get a connected database", one, r.get),
		endpoint.New("GET", "/api/database/{id}/metadata", "Get a connected database with its tables and fields", one, r.metadata),
		endpoint.New("GET", "/api/database/{id}/schemas", "List the schemas of a connected database", one, r.schemas),
		endpoint.New("GET", "/api/database/{id}/schema", "List the tables that are in no schema", one, r.blankSchema),
		endpoint.New("GET", "/api/database/{id}/schema/{schema}", "List the tables of a schema", one, r.schema),
		endpoint.New("GET", "/api/database/{id}/fields", "List the fields of a connected database", one, r.fields),
		endpoint.New("GET", "/api/database/{id}/idfields", "List the primary keys of a connected database", one, r.idFields),
		endpoint.New("GET", "/api/database/{id}/autocomplete_suggestions", "Complete the name of a table or field", one, r.suggest),
		endpoint.New("POST", "/api/database/{id}/sync_schema", "Read the tables and fields of a connected database anew", change, r.sync),
		endpoint.New("POST", "/api/database/{id}/rescan_values", "Read the values of fields anew", change, r.rescan),
	}
}

func (r databaseRoutes) list(ctx context.Context, c *endpoint.Call, in listDatabasesInput) (wireDatabases, error) {
	include := in.Include.Or("")
	if include != "" && include != "tables" && include != "schemas" {
		return wireDatabases{}, fault.New(fault.Invalid, "include must be either empty, 'tables', or 'schemas'")
	}
	all, err := r.warehouse.Databases(ctx, c.Who)
	if err != nil {
		return wireDatabases{}, err
	}
	out := wireDatabases{Data: []any{}}
	for _, d := range all {
		wire := r.toWire(c, d)
		if include == "tables" {
			if wire.Tables, err = r.tables(ctx, c, d.ID, false); err != nil {
				return out, err
			}
		}
		out.Data = append(out.Data, wire)
	}
	if in.Saved.Or(false) {
		out.Data = append(out.Data, savedQuestions{savedID, "Saved Questions", true, []string{"basic-aggregations"}})
	}
	out.Total = len(out.Data)
	return out, nil
}

func (r databaseRoutes) tables(ctx context.Context, c *endpoint.Call, id int64, fields bool) ([]wireTable, error) {
	list, err := r.warehouse.Tables(ctx, c.Who, warehouse.Filter{DatabaseID: id})
	if err != nil || !fields {
		return toWireTables(list), err
	}
	return r.withFields(ctx, list)
}

func toWireTables(list []warehouse.Table) []wireTable {
	out := make([]wireTable, len(list))
	for i, t := range list {
		out[i] = toWireTable(t)
	}
	return out
}

func (r databaseRoutes) withFields(ctx context.Context, list []warehouse.Table) ([]wireTable, error) {
	fields, err := r.warehouse.Fields(ctx, list...)
	if err != nil {
		return nil, err
	}
	out := toWireTables(list)
	for i := range out {
		wire := toWireFields(fields[out[i].ID])
		out[i].Fields = &wire
	}
	return out, nil
}

func (r databaseRoutes) get(ctx context.Context, c *endpoint.Call, in getDatabaseInput) (wireDatabase, error) {
	d, err := r.warehouse.Database(ctx, c.Who, in.ID)
	if err != nil {
		return wireDatabase{}, err
	}
	out := r.toWire(c, d)
	zero := 0
	day := wireSchedule{Minute: &zero, Hour: &zero, Type: "daily"}
	out.Schedules = &wireSchedules{day, day}
	out.CanManage = c.Who.IsAdmin()
	if include := in.Include.Or(""); include != "" {
		out.Tables, err = r.tables(ctx, c, d.ID, include == "tables.fields")
	}
	return out, err
}

func (r databaseRoutes) metadata(ctx context.Context, c *endpoint.Call, in metadataInput) (wireDatabase, error) {
	d, err := r.warehouse.Database(ctx, c.Who, in.ID)
	if err != nil {
		return wireDatabase{}, err
	}
	list, err := r.warehouse.Tables(ctx, c.Who, warehouse.Filter{DatabaseID: d.ID, Hidden: in.Hidden.Or(false)})
	if err != nil {
		return wireDatabase{}, err
	}
	out := r.toWire(c, d)
	if in.SkipFields.Or(false) {
		out.Tables = toWireTables(list)
	} else if out.Tables, err = r.withFields(ctx, list); err != nil {
		return out, err
	}
	for i := range out.Tables {
		t := &out.Tables[i]
		t.Segments, t.Metrics = &[]any{}, &[]any{}
		if t.Schema == nil {
			t.Schema = new(string)
		}
	}
	return out, nil
}

// readable returns tables of a database that the caller may read.
func (r databaseRoutes) readable(ctx context.Context, c *endpoint.Call, f warehouse.Filter) ([]warehouse.Table, error) {
	if _, err := r.warehouse.Database(ctx, c.Who, f.DatabaseID); err != nil {
		return nil, err
	}
	return r.warehouse.Tables(ctx, c.Who, f)
}

func (r databaseRoutes) schemas(ctx context.Context, c *endpoint.Call, in pathID) ([]string, error) {
	list, err := r.readable(ctx, c, warehouse.Filter{DatabaseID: in.ID})
	var out []string
	for _, t := range list {
		if !slices.Contains(out, t.Schema) {
			out = append(out, t.Schema)
		}
	}
	return out, err
}

func (r databaseRoutes) blankSchema(ctx context.Context, c *endpoint.Call, in pathID) ([]wireTable, error) {
	return r.schema(ctx, c, schemaInput{ID: in.ID})
}

func (r databaseRoutes) schema(ctx context.Context, c *endpoint.Call, in schemaInput) ([]wireTable, error) {
	list, err := r.readable(ctx, c, warehouse.Filter{DatabaseID: in.ID, Schema: &in.Schema, Hidden: in.Hidden.Or(false)})
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, textNotFound)
	}
	return toWireTables(list), err
}

// wireFieldName is a field in the list of all fields of a database.
type wireFieldName struct {
	ID           int64   `json:"id"`
	Name         string  `json:"name"`
	DisplayName  string  `json:"display_name"`
	BaseType     string  `json:"base_type"`
	SemanticType *string `json:"semantic_type"`
	TableName    string  `json:"table_name"`
	Schema       string  `json:"schema"`
}

func (r databaseRoutes) fields(ctx context.Context, c *endpoint.Call, in pathID) ([]wireFieldName, error) {
	list, err := r.readable(ctx, c, warehouse.Filter{DatabaseID: in.ID})
	if err != nil {
		return nil, err
	}
	fields, err := r.warehouse.Fields(ctx, list...)
	var out []wireFieldName
	for _, t := range list {
		for _, f := range fields[t.ID] {
			out = append(out, wireFieldName{f.ID, f.Name, f.DisplayName, string(f.BaseType), f.Semantic, t.DisplayName, t.Schema})
		}
	}
	return out, err
}

func (r databaseRoutes) idFields(ctx context.Context, c *endpoint.Call, in pathID) ([]wireField, error) {
	list, err := r.readable(ctx, c, warehouse.Filter{DatabaseID: in.ID})
	if err != nil {
		return nil, err
	}
	fields, err := r.warehouse.Fields(ctx, list...)
	var out []wireField
	for _, t := range list {
		for _, f := range fields[t.ID] {
			if f.IsKey() {
				wire, table := toWireField(f), toWireTable(t)
				wire.Table = &table
				out = append(out, wire)
			}
		}
	}
	return out, err
}

// maxSuggestions is how many names are suggested.
const maxSuggestions = 50

// suggest answers pairs: the name, and what it is the name of.
func (r databaseRoutes) suggest(ctx context.Context, c *endpoint.Call, in suggestInput) ([][2]string, error) {
	part, matches := strings.ToLower(in.Prefix.Or("")), strings.HasPrefix
	if part == "" {
		part, matches = strings.ToLower(in.Substring.Or("")), strings.Contains
	}
	if part == "" {
		return nil, fault.New(fault.Invalid, "Must include prefix or search")
	}
	list, err := r.readable(ctx, c, warehouse.Filter{DatabaseID: in.ID})
	if err != nil {
		return nil, err
	}
	fields, err := r.warehouse.Fields(ctx, list...)
	var out [][2]string
	for _, t := range list {
		if matches(strings.ToLower(t.Name), part) {
			out = append(out, [2]string{t.Name, "Table"})
		}
	}
	for _, t := range list {
		for _, f := range fields[t.ID] {
			if matches(strings.ToLower(f.Name), part) {
				out = append(out, [2]string{f.Name, strings.TrimSpace(t.Name + " " + string(f.BaseType) + " " + deref(f.Semantic))})
			}
		}
	}
	return out[:min(len(out), maxSuggestions)], err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// statusOK is the answer of what only has to be done.
type statusOK struct {
	Status string `json:"status"`
}

func (r databaseRoutes) sync(ctx context.Context, c *endpoint.Call, in pathID) (statusOK, error) {
	return statusOK{"ok"}, r.warehouse.Sync(ctx, c.Who, in.ID)
}

// rescan has nothing to do: values are not kept, but read when they are asked
// for.
func (r databaseRoutes) rescan(ctx context.Context, c *endpoint.Call, in pathID) (statusOK, error) {
	_, err := r.warehouse.Database(ctx, c.Who, in.ID)
	return statusOK{"ok"}, err
}
