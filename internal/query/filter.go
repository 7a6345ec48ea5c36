package query

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"latchkey/internal/engine"
	"latchkey/internal/query/mbql"
)

// filter writes the condition of a field filter. Without a value it is true for
// every row.
func (e *expander) filter(tag mbql.TemplateTag, block bool) (string, error) {
	list, err := e.valueOf(tag)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		if block {
			return "", &noValueError{tag.Name}
		}
		return "1 = 1", nil
	}
	if len(list) > maxValues {
		return "", failed(BadParameter, fmt.Sprintf("'%s' has more than %d values.", tag.DisplayName, maxValues))
	}
	c := condition{e: e, tag: tag, list: list, options: tag.Options}
	if c.column, c.base, err = e.columnOf(tag); err != nil {
		return "", err
	}
	g := e.given[tag.Name]
	if c.operator = g.param.Type; c.operator == "" || c.operator == "category" || c.operator == "text" {
		c.operator = orElse(tag.WidgetType, c.operator)
	}
	if g.param.Options != nil {
		c.options = g.param.Options
	}
	return c.write()
}

func orElse(s, otherwise string) string {
	if s == "" || s == "none" {
		return otherwise
	}
	return s
}

// aliasForm is what may stand in place of a column: names with dots between,
// which may be quoted.
var aliasForm = regexp.MustCompile(`^([\pL_][\pL\pN_$]*|"[^"\x00]+")(\.([\pL_][\pL\pN_$]*|"[^"\x00]+"))*$`)

// columnOf returns the column that a field filter compares, ready to stand in
// SQL. The field must be one of the query's own database.
func (e *expander) columnOf(tag mbql.TemplateTag) (string, engine.BaseType, error) {
	if tag.Dimension.FieldID == 0 {
		return "", "", failed(Invalid, fmt.Sprintf("The field filter '%s' names no field.", tag.DisplayName))
	}
	field, table, err := e.service.Warehouse.FindField(e.ctx, tag.Dimension.FieldID)
	if err != nil || table.DatabaseID != e.base.ID {
		return "", "", failed(Invalid, fmt.Sprintf("The field filter '%s' names a field that this database does not have.", tag.DisplayName))
	}
	if tag.Alias != "" {
		if !aliasForm.MatchString(tag.Alias) {
			return "", "", failed(Invalid, fmt.Sprintf("The alias of '%s' is not the name of a column.", tag.DisplayName))
		}
		return tag.Alias, field.BaseType, nil
	}
	return e.dialect.Quote(table.Schema, table.Name, field.Name), field.BaseType, nil
}

// condition is a field filter with its values.
type condition struct {
	e        *expander
	tag      mbql.TemplateTag
	column   string
	base     engine.BaseType
	operator string // string/=, number/between, date/range, …
	list     []any
	options  json.RawMessage
}

func (c *condition) unfit(want string) error {
	return failed(BadParameter, fmt.Sprintf("The value of '%s' must be %s.", c.tag.DisplayName, want))
}

func (c *condition) write() (string, error) {
	group, op, _ := strings.Cut(c.operator, "/")
	switch {
	case group == "date" || c.base.Temporal() && op != "=":
		return c.dates()
	case group == "number" || group == "string" || group == "boolean" || group == "location" || group == "":
	default: // id, category, text, number and what older clients send
		op = "="
	}
	switch op {
	case "=", "", "!=":
		return c.among(op == "!=")
	case "between":
		return c.between()
	case ">=", "<=":
		return c.compare(op)
	case "contains", "does-not-contain", "starts-with", "ends-with":
		return c.match(op)
	}
	return c.among(false) // location/city, location/state and the like
}

// value returns the argument that compares with the column.
func (c *condition) value(v any) (any, error) {
	switch {
	case c.base.Numeric():
		n, ok := number(v)
		if !ok {
			return nil, c.unfit("a number")
		}
		return n, nil
	case c.base == engine.Boolean:
		b, ok := boolean(v)
		if !ok {
			return nil, c.unfit("true or false")
		}
		return b, nil
	case c.base == engine.Unknown && !strings.HasPrefix(c.operator, "string"):
		if n, ok := v.(json.Number); ok {
			plain, _ := number(n)
			return plain, nil
		}
	}
	return text(v), nil
}

// among is = and !=. What differs from all values includes what is null.
func (c *condition) among(not bool) (string, error) {
	var places []string
	null := false
	for _, v := range c.list {
		if v == nil {
			null = true
			continue
		}
		arg, err := c.value(v)
		if err != nil {
			return "", err
		}
		places = append(places, c.e.arg(arg))
	}
	var parts []string
	switch {
	case len(places) > 0 && not:
		parts = append(parts, c.column+" NOT IN ("+strings.Join(places, ", ")+")")
		if !null {
			return "(" + parts[0] + " OR " + c.column + " IS NULL)", nil
		}
	case len(places) > 0:
		parts = append(parts, c.column+" IN ("+strings.Join(places, ", ")+")")
	}
	if null && not {
		parts = append(parts, c.column+" IS NOT NULL")
		return "(" + strings.Join(parts, " AND ") + ")", nil
	}
	if null {
		parts = append(parts, c.column+" IS NULL")
	}
	return "(" + strings.Join(parts, " OR ") + ")", nil
}

// between takes two numbers, of which one may be null.
func (c *condition) between() (string, error) {
	if len(c.list) != 2 {
		return "", c.unfit("a list of two numbers")
	}
	var parts []string
	for i, op := range [...]string{" >= ", " <= "} {
		if c.list[i] == nil {
			continue
		}
		arg, err := c.value(c.list[i])
		if err != nil {
			return "", err
		}
		parts = append(parts, c.column+op+c.e.arg(arg))
	}
	if len(parts) == 0 {
		return "1 = 1", nil
	}
	return "(" + strings.Join(parts, " AND ") + ")", nil
}

func (c *condition) compare(op string) (string, error) {
	arg, err := c.value(c.list[0])
	if err != nil {
		return "", err
	}
	return "(" + c.column + " " + op + " " + c.e.arg(arg) + ")", nil
}

// match compares parts of texts. It is written without LIKE, whose idea of case
// and escapes differs between databases.
func (c *condition) match(op string) (string, error) {
	var parts []string
	for _, v := range c.list {
		if text(v) != "" {
			parts = append(parts, c.matchOne(op, text(v)))
		}
	}
	if len(parts) == 0 {
		return "1 = 1", nil
	}
	if op == "does-not-contain" {
		return "(NOT (" + strings.Join(parts, " OR ") + ") OR " + c.column + " IS NULL)", nil
	}
	return "(" + strings.Join(parts, " OR ") + ")", nil
}

func (c *condition) matchOne(op, part string) string {
	column := c.column
	if !c.caseSensitive() {
		column, part = "lower("+column+")", strings.ToLower(part)
	}
	switch op {
	case "starts-with":
		return fmt.Sprintf("substr(%s, 1, length(%s)) = %s", column, c.e.arg(part), c.e.arg(part))
	case "ends-with":
		return fmt.Sprintf("length(%s) >= length(%s) AND substr(%s, length(%s) - length(%s) + 1) = %s",
			column, c.e.arg(part), column, column, c.e.arg(part), c.e.arg(part))
	}
	return fmt.Sprintf("replace(%s, %s, '') <> %s", column, c.e.arg(part), column)
}

func (c *condition) caseSensitive() bool {
	var o struct {
		Sensitive *bool `json:"case-sensitive"`
	}
	_ = json.Unmarshal(c.options, &o) // no options are the defaults
	return o.Sensitive == nil || *o.Sensitive
}

// dates writes the condition of a span of days.
func (c *condition) dates() (string, error) {
	var parts []string
	for _, v := range c.list {
		part, err := c.span(text(v))
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return "(" + strings.Join(parts, " OR ") + ")", nil
}

// span includes its first day and all of its last one.
func (c *condition) span(s string) (string, error) {
	span, ok := c.e.dates.parse(s)
	if !ok {
		return "", c.unfit(fmt.Sprintf("a date or a span such as 2026-01-01~2026-01-31 or past7days, not %q", cut(s)))
	}
	var parts []string
	if !span.from.IsZero() {
		parts = append(parts, c.column+" >= "+c.e.arg(c.e.moment(span.from, span.timed)))
	}
	if !span.until.IsZero() {
		parts = append(parts, c.column+" < "+c.e.arg(c.e.moment(span.until, span.timed)))
	}
	return "(" + strings.Join(parts, " AND ") + ")", nil
}
