package api

import (
	"context"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/warehouse"
)

type listTablesInput struct {
	Term opt.Value[string] `query:"term"`
}

type tableMetadataInput struct {
	ID     int64           `path:"id" rule:"posint"`
	Hidden opt.Value[bool] `query:"include_hidden_fields"`
	All    opt.Value[bool] `query:"include_sensitive_fields"`
}

// TableEndpoints returns the routes of tables and fields
// (contract/content-data.md 6.2).
func TableEndpoints(w *warehouse.Service) []endpoint.Endpoint {
	r := databaseRoutes{w}
	read := access.Authenticated(access.KindDatabases, access.Read)
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/table", "List the tables of all connected databases", read, r.listTables),
		ofTable(endpoint.New("GET", "/api/table/{id}", "Get a table", read, r.getTable), r),
		endpoint.Naming(endpoint.New("GET", "/api/table/{id}/query_metadata", "Get a table with its fields", read, r.tableMetadata),
			func(ctx context.Context, c *endpoint.Call, in tableMetadataInput) ([]access.Ref, error) {
				return r.databaseOfTable(ctx, c, pathID{in.ID})
			}, access.KindDatabases),
		ofTable(endpoint.New("GET", "/api/table/{id}/fks", "List the foreign keys that point to a table", read, r.keysTo), r),
		ofField(endpoint.New("GET", "/api/field/{id}", "Get a field", read, r.getField), r),
		ofField(endpoint.New("GET", "/api/field/{id}/values", "List the values of a field", read, r.fieldValues), r),
		ofField(endpoint.New("GET", "/api/field/{id}/summary", "Count the values of a field", read, r.fieldSummary), r),
	}
}

// ofTable names the database of the table in the path.
func ofTable(e endpoint.Endpoint, r databaseRoutes) endpoint.Endpoint {
	return endpoint.Naming(e, r.databaseOfTable, access.KindDatabases)
}

func ofField(e endpoint.Endpoint, r databaseRoutes) endpoint.Endpoint {
	return endpoint.Naming(e, r.databaseOfField, access.KindDatabases)
}

func databaseRef(id int64) []access.Ref {
	return []access.Ref{{Kind: access.KindDatabases, ID: idText(id)}}
}

func (r databaseRoutes) databaseOfTable(ctx context.Context, _ *endpoint.Call, in pathID) ([]access.Ref, error) {
	t, err := r.warehouse.FindTable(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return databaseRef(t.DatabaseID), nil
}

func (r databaseRoutes) databaseOfField(ctx context.Context, _ *endpoint.Call, in pathID) ([]access.Ref, error) {
	_, t, err := r.warehouse.FindField(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return databaseRef(t.DatabaseID), nil
}

func (r databaseRoutes) listTables(ctx context.Context, c *endpoint.Call, in listTablesInput) ([]wireTable, error) {
	all, err := r.warehouse.Databases(ctx, c.Who)
	if err != nil {
		return nil, err
	}
	databases := map[int64]*wireDatabase{}
	for _, d := range all {
		wire := r.toWire(c, d)
		databases[d.ID] = &wire
	}
	list, err := r.warehouse.Tables(ctx, c.Who, warehouse.Filter{})
	term := strings.ToLower(in.Term.Or(""))
	var out []wireTable
	for _, t := range list {
		if term != "" && !strings.Contains(strings.ToLower(t.Name), term) && !strings.Contains(strings.ToLower(t.DisplayName), term) {
			continue
		}
		wire := toWireTable(t)
		wire.Database = databases[t.DatabaseID]
		out = append(out, wire)
	}
	return out, err
}

func (r databaseRoutes) getTable(ctx context.Context, c *endpoint.Call, in pathID) (wireTable, error) {
	t, err := r.warehouse.Table(ctx, c.Who, in.ID)
	if err != nil {
		return wireTable{}, err
	}
	out := toWireTable(t)
	if err := r.addDatabase(ctx, c, &out); err != nil {
		return out, err
	}
	fields, err := r.warehouse.Fields(ctx, t)
	for _, f := range fields[t.ID] {
		if f.IsKey() && out.PKField == nil {
			out.PKField = &f.ID
		}
	}
	return out, err
}

func (r databaseRoutes) addDatabase(ctx context.Context, c *endpoint.Call, t *wireTable) error {
	d, err := r.warehouse.Database(ctx, c.Who, t.DatabaseID)
	if err != nil {
		return err
	}
	wire := r.toWire(c, d)
	t.Database = &wire
	return nil
}

func (r databaseRoutes) tableMetadata(ctx context.Context, c *endpoint.Call, in tableMetadataInput) (wireTable, error) {
	out, err := r.getTable(ctx, c, pathID{in.ID})
	if err != nil {
		return out, err
	}
	list, err := r.warehouse.Tables(ctx, c.Who, warehouse.Filter{DatabaseID: out.DatabaseID, Hidden: true, Gone: true})
	if err != nil {
		return out, err
	}
	fields, err := r.warehouse.Fields(ctx, list...)
	if err != nil {
		return out, err
	}
	byID, names := indexFields(fields)
	shown := []wireField{}
	for _, f := range fields[in.ID] {
		if f.Visibility == "sensitive" && !in.All.Or(false) || f.Visibility == "details-only" && !in.Hidden.Or(false) {
			continue
		}
		wire := toWireField(f)
		if f.TargetID != nil {
			if target, ok := byID[*f.TargetID]; ok {
				to := toWireField(target)
				wire.Target, wire.NameField = &to, names[target.TableID]
			}
		}
		shown = append(shown, wire)
	}
	out.Fields, out.Segments, out.Metrics, out.Measures = &shown, &[]any{}, &[]any{}, &[]any{}
	out.DimensionOptions = &struct{}{}
	keys, err := r.keysTo(ctx, c, pathID{in.ID})
	out.Keys = &keys
	return out, err
}

// indexFields returns fields by id, and of each table the field that names its
// rows.
func indexFields(fields map[int64][]warehouse.Field) (byID map[int64]warehouse.Field, names map[int64]*wireNameField) {
	byID, names = map[int64]warehouse.Field{}, map[int64]*wireNameField{}
	for tableID, list := range fields {
		for _, f := range list {
			byID[f.ID] = f
			if names[tableID] == nil && (deref(f.Semantic) == "type/Name" || deref(f.Semantic) == "type/Title") {
				names[tableID] = &wireNameField{f.ID, f.DisplayName, tableID, f.Name}
			}
		}
	}
	return byID, names
}

func (r databaseRoutes) keysTo(ctx context.Context, c *endpoint.Call, in pathID) ([]wireForeignKey, error) {
	t, err := r.warehouse.Table(ctx, c.Who, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := r.warehouse.Tables(ctx, c.Who, warehouse.Filter{DatabaseID: t.DatabaseID})
	if err != nil {
		return nil, err
	}
	fields, err := r.warehouse.Fields(ctx, list...)
	if err != nil {
		return nil, err
	}
	byID, _ := indexFields(fields)
	out := []wireForeignKey{}
	for _, from := range list {
		table := toWireTable(from)
		for _, f := range fields[from.ID] {
			if f.TargetID == nil || byID[*f.TargetID].TableID != t.ID {
				continue
			}
			origin, destination := toWireField(f), toWireField(byID[*f.TargetID])
			origin.Table = &table
			out = append(out, wireForeignKey{f.ID, origin, *f.TargetID, destination, "Mt1"})
		}
	}
	return out, nil
}

func (r databaseRoutes) getField(ctx context.Context, c *endpoint.Call, in pathID) (wireField, error) {
	f, t, err := r.warehouse.Field(ctx, c.Who, in.ID)
	if err != nil {
		return wireField{}, err
	}
	out, table := toWireField(f), toWireTable(t)
	err = r.addDatabase(ctx, c, &table)
	out.Table = &table
	return out, err
}

// wireValues is the answer about the values of a field.
type wireValues struct {
	FieldID int64    `json:"field_id"`
	Values  [][1]any `json:"values"`
	More    bool     `json:"has_more_values"`
}

func (r databaseRoutes) fieldValues(ctx context.Context, c *endpoint.Call, in pathID) (wireValues, error) {
	list, more, err := r.warehouse.Values(ctx, c.Who, in.ID)
	out := wireValues{FieldID: in.ID, Values: make([][1]any, len(list)), More: more}
	for i, v := range list {
		out.Values[i] = [1]any{jsonValue{v}}
	}
	return out, err
}

func (r databaseRoutes) fieldSummary(ctx context.Context, c *endpoint.Call, in pathID) ([][2]any, error) {
	count, distinct, err := r.warehouse.Summary(ctx, c.Who, in.ID)
	return [][2]any{{"count", count}, {"distincts", distinct}}, err
}
