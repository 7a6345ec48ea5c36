package warehouse

import (
	"regexp"
	"strings"

	"latchkey/internal/engine"
)

const (
	semanticPK = "type/PK"
	semanticFK = "type/FK"
)

// listed are the meanings whose values are few.
var listed = map[string]bool{"type/Category": true, "type/Source": true, "type/State": true, "type/Country": true}

// guess is a meaning that a name suggests for columns of some types.
type guess struct {
	name    *regexp.Regexp
	fits    func(engine.BaseType) bool
	meaning string
}

func isText(t engine.BaseType) bool { return t == engine.Text }
func isFloat(t engine.BaseType) bool {
	return t == engine.Float || t == engine.Decimal || t == engine.Unknown
}
func isWhole(t engine.BaseType) bool { return t == engine.Integer || t == engine.BigInteger }

// guesses are asked in order; the first that fits counts.
var guesses = []guess{
	{regexp.MustCompile(`^(.*_)?lat(itude)?$`), isFloat, "type/Latitude"},
	{regexp.MustCompile(`^(.*_)?(lon|lng|long|longitude)$`), isFloat, "type/Longitude"},
	{regexp.MustCompile(`^(created|inserted|joined|registered)(_?(at|on|date|time|timestamp))?$`), engine.BaseType.Temporal, "type/CreationTimestamp"},
	{regexp.MustCompile(`^(updated|modified|changed)(_?(at|on|date|time|timestamp))?$`), engine.BaseType.Temporal, "type/UpdatedTimestamp"},
	{regexp.MustCompile(`^(deleted|removed)(_?(at|on|date|time|timestamp))?$`), engine.BaseType.Temporal, "type/DeletionTimestamp"},
	{regexp.MustCompile(`^(.*_)?(birth(day|_?date)?|born|dob)$`), engine.BaseType.Temporal, "type/Birthdate"},
	{regexp.MustCompile(`(^|_)e?mail(_?address)?$`), isText, "type/Email"},
	{regexp.MustCompile(`(^|_)(url|uri|link|website|homepage)$`), isText, "type/URL"},
	{regexp.MustCompile(`^(.*_)?(zip|zip_?code|postal_?code|post_?code)$`), isText, "type/ZipCode"},
	{regexp.MustCompile(`^(.*_)?city$`), isText, "type/City"},
	{regexp.MustCompile(`^(.*_)?(state|province|region)$`), isText, "type/State"},
	{regexp.MustCompile(`^(.*_)?country(_?code)?$`), isText, "type/Country"},
	{regexp.MustCompile(`^(.*_)?address$`), isText, "type/Address"},
	{regexp.MustCompile(`^(.*_)?(category|kind|type|status|gender|sex)$`), isText, "type/Category"},
	{regexp.MustCompile(`^(.*_)?(source|channel)$`), isText, "type/Source"},
	{regexp.MustCompile(`^(vendor|company|brand|manufacturer)$`), isText, "type/Company"},
	{regexp.MustCompile(`^(title|headline)$`), isText, "type/Title"},
	{regexp.MustCompile(`^((first|last|full|common|display|user)?_?name|label)$`), isText, "type/Name"},
	{regexp.MustCompile(`^(body|comment|description|review|note|notes|text)$`), isText, "type/Description"},
	{regexp.MustCompile(`^(.*_)?(rating|score|stars)$`), engine.BaseType.Numeric, "type/Score"},
	{regexp.MustCompile(`^(.*_)?discount$`), isFloat, "type/Discount"},
	{regexp.MustCompile(`^(.*_)?(quantity|qty|count)$`), isWhole, "type/Quantity"},
}

// semanticOf guesses what a column means. Keys are known and not guessed.
func semanticOf(c engine.Column, foreign bool) *string {
	name := strings.ToLower(c.Name)
	switch {
	case c.PrimaryKey:
		return new(semanticPK)
	case foreign:
		return new(semanticFK)
	}
	for _, g := range guesses {
		if g.fits(c.Type) && g.name.MatchString(name) {
			return new(g.meaning)
		}
	}
	return nil
}

// entityTypes are what a table is about, by the words of its name.
var entityTypes = []struct {
	name *regexp.Regexp
	kind string
}{
	{regexp.MustCompile(`(order|purchase|sale|transaction|invoice|payment)s?$`), "entity/TransactionTable"},
	{regexp.MustCompile(`product`), "entity/ProductTable"},
	{regexp.MustCompile(`(^|_)(user|person|people|account|customer|employee|member)s?$`), "entity/UserTable"},
	{regexp.MustCompile(`event`), "entity/EventTable"},
	{regexp.MustCompile(`subscription`), "entity/SubscriptionTable"},
}

func entityTypeOf(name string) string {
	name = strings.ToLower(name)
	for _, e := range entityTypes {
		if e.name.MatchString(name) {
			return e.kind
		}
	}
	return "entity/GenericTable"
}

// shortWords keep their capitals.
var shortWords = map[string]bool{"id": true, "url": true, "uri": true, "ip": true, "ean": true, "uid": true, "uuid": true}

// humanize writes a name for people: PRODUCT_ID is Product ID.
func humanize(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == ' ' || r == '.' })
	if len(words) == 0 {
		return name
	}
	for i, w := range words {
		lower := strings.ToLower(w)
		switch {
		case shortWords[lower]:
			words[i] = strings.ToUpper(w)
		case w == strings.ToUpper(w) || w == lower:
			r := []rune(lower)
			words[i] = strings.ToUpper(string(r[:1])) + string(r[1:])
		}
	}
	return strings.Join(words, " ")
}
