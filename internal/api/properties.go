package api

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/setting"
)

// wireVersion names the release that is spoken. No member is ever null, which
// clients rely on.
type wireVersion struct {
	Tag    string `json:"tag"`
	Date   string `json:"date"`
	Branch string `json:"branch"`
	Hash   string `json:"hash"`
}

// newVersion describes a release: v0.62.0 belongs to the branch
// release-x.62.x. Date and hash are those of our own build, when it knows them.
func newVersion(tag string) wireVersion {
	v := wireVersion{Tag: tag, Branch: "release-x"}
	if parts := strings.Split(tag, "."); len(parts) > 1 {
		v.Branch += "." + parts[1] + ".x"
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.time":
			v.Date = s.Value[:min(len(s.Value), len(time.DateOnly))]
		case "vcs.revision":
			v.Hash = s.Value[:min(len(s.Value), 7)]
		}
	}
	return v
}

// PropertyEndpoints returns the route that tells clients about the instance
// (contract/identity.md 2.1).
func PropertyEndpoints(s Services) []endpoint.Endpoint {
	p := propertyRoutes{
		Services: s, version: newVersion(s.Version), features: setting.Features(),
		locales: setting.Locales(), timezones: setting.Timezones(),
	}
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/session/properties", "Tell about the instance: what the caller may know of its settings, and facts",
			access.Public("settings", access.Read), p.get),
	}
}

// propertyRoutes holds what never changes beside the services.
type propertyRoutes struct {
	Services
	version   wireVersion
	features  map[string]bool
	locales   [][2]string
	timezones []string
}

func (p propertyRoutes) get(ctx context.Context, c *endpoint.Call, _ endpoint.None) (map[string]any, error) {
	out := p.Settings.Visible(c.Who)
	p.addFacts(out)
	setup, err := p.People.HasSetup(ctx)
	if err != nil {
		return nil, err
	}
	out["has-user-setup"] = setup
	token, err := p.People.SetupToken(ctx)
	if err != nil {
		return nil, err
	}
	if token != "" {
		noStore(c)
		out["setup-token"] = token
	}
	return out, nil
}

// addFacts adds what clients look for among the settings but nobody sets.
func (p propertyRoutes) addFacts(out map[string]any) {
	out["version"] = p.version
	out["latchkey-version"] = p.Product
	out["token-features"] = p.features
	out["available-locales"] = p.locales
	out["available-timezones"] = p.timezones
	out["engines"] = map[string]any{}
	out["email-configured?"] = p.Mail.Configured()
	out["is-hosted?"] = false
	out["password-complexity"] = p.People.PasswordPolicy().Counts()
	out["report-timezone-long"], out["report-timezone-short"] = zoneNames(p.Settings.String("report-timezone"), time.Now())
}

// zoneNames returns the name of a time zone, of the server's without one, and
// the abbreviation that is in use there.
func zoneNames(name string, now time.Time) (long, short string) {
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" {
		loc = time.UTC
	}
	short, _ = now.In(loc).Zone()
	return loc.String(), short
}
