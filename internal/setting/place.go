package setting

import (
	_ "embed"
	"strings"
	_ "time/tzdata" // makes every name in zones.txt loadable on machines without zone files
)

// zones are the names of the IANA time zone database that Go 1.26 brings, sorted.
//
//go:embed zones.txt
var zones string

// Timezones returns the names of all time zones, sorted.
func Timezones() []string { return strings.Fields(zones) }

// Locales returns the languages that Latchkey is translated to, as code and
// name. More locales are valid as a choice; they read English.
func Locales() [][2]string { return [][2]string{{"en", "English"}} }

// The two-letter codes of ISO 639 and ISO 3166 that are in use.
const (
	languages = `
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik in io is it iu iw ja ji
jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd
ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st
su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
`
	countries = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
`
)

// ParseLocale returns a locale in its normal form: a language such as "es", or
// language and country such as "es_MX", which may be written "es-mx". It
// reports false for anything else.
func ParseLocale(s string) (string, bool) {
	language, country, found := strings.Cut(strings.ReplaceAll(strings.TrimSpace(s), "-", "_"), "_")
	language, country = strings.ToLower(language), strings.ToUpper(country)
	switch {
	case !listed(languages, language):
		return "", false
	case !found:
		return language, true
	case !listed(countries, country):
		return "", false
	}
	return language + "_" + country, true
}

// listed reports whether a list of two-letter codes holds one.
func listed(list, code string) bool {
	return len(code) == 2 && strings.TrimSpace(code) == code && strings.Contains(list, code)
}
