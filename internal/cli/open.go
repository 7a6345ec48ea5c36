package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/apikey"
	"latchkey/internal/audit"
	"latchkey/internal/bulk"
	"latchkey/internal/clock"
	"latchkey/internal/config"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/content/revision"
	"latchkey/internal/content/search"
	"latchkey/internal/content/shelf"
	"latchkey/internal/content/snippet"
	"latchkey/internal/content/timeline"
	"latchkey/internal/db"
	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/metrics"
	"latchkey/internal/people"
	"latchkey/internal/query"
	"latchkey/internal/setting"
	"latchkey/internal/usage"
	"latchkey/internal/warehouse"
)

// house is the domain, put together.
type house struct {
	db         *db.DB
	audit      *audit.Log
	settings   *setting.Service
	groups     *group.Service
	mail       *mail.Mailer
	people     *people.Service
	usage      *usage.Service
	keys       *apikey.Service
	verifier   *apikey.Verifier
	content    *content.Service
	revisions  *revision.Log
	cards      *card.Service
	dashboards *dashboard.Service
	bulk       *bulk.Service // made with the APIs, whose calls it stands for
	snippets   *snippet.Service
	timelines  *timeline.Service
	search     *search.Service
	shelf      *shelf.Service
	warehouse  *warehouse.Service
	queries    *query.Service
	metrics    *metrics.Metrics // nil when they are off
	timer      *metrics.Sampler // nil when they are off
}

// open wires the domain, top to bottom. Its errors are one line each.
func open(ctx context.Context, cfg *config.Config, log *slog.Logger) (*house, error) {
	clk := clock.System{}
	if !sqlite.LimitMemory() {
		log.Warn("the memory that SQLite takes is not bounded")
	}
	d, err := db.Open(ctx, db.Options{URL: cfg.DatabaseURL, Dir: cfg.DataDir, Clock: clk, Log: log})
	if err != nil {
		return nil, err
	}
	h, err := build(ctx, cfg, log, d)
	if err != nil {
		d.Close()
		return nil, err
	}
	return h, nil
}

// openExisting opens an instance that is there. It never makes one, so that a
// mistyped directory is named and not filled.
func openExisting(ctx context.Context, cfg *config.Config, log *slog.Logger) (*house, error) {
	if cfg.DatabaseURL.Empty() {
		if _, err := os.Stat(filepath.Join(cfg.DataDir, "latchkey.db")); err != nil {
			return nil, fmt.Errorf("there is no database of Latchkey in %s; name its directory with --data-dir or LATCHKEY_DATA_DIR", cfg.DataDir)
		}
	}
	return open(ctx, cfg, log)
}

func build(ctx context.Context, cfg *config.Config, log *slog.Logger, d *db.DB) (*house, error) {
	clk := clock.System{}
	h := &house{db: d, audit: audit.New(d)}
	peppers, err := apikey.OpenPeppers(ctx, d, apikey.PepperSource{
		Text: cfg.Pepper, File: cfg.PepperFile, Previous: cfg.PepperPrevious,
	})
	if err != nil {
		return nil, err
	}
	if n, err := peppers.Stranded(ctx, d); err != nil {
		return nil, err
	} else if n > 0 {
		log.Warn("keys are refused because their pepper is not in force; name it in LATCHKEY_PEPPER_PREVIOUS_FILE", "keys", n)
	}
	if h.settings, err = setting.New(ctx, d, h.audit, overrides(cfg)); err != nil {
		return nil, err
	}
	if h.groups, err = group.New(ctx, d, h.audit, log); err != nil {
		return nil, err
	}
	h.mail = mail.New(mailConfig(cfg, log))
	h.people = people.New(peopleDeps(cfg, log, h))
	h.usage = usage.New(d, log, usage.Options{})
	if h.content, err = content.New(ctx, d, h.audit, log); err != nil {
		return nil, err
	}
	h.content.KnowGroups(func(ctx context.Context, id int64) (bool, error) {
		name, err := h.groups.Name(ctx, id)
		return name != "", err
	})
	h.groups.OnDelete(func(ctx context.Context, who *access.Principal, g group.Group) error {
		return h.content.GroupDeleted(ctx, who, g.ID, g.Name)
	})
	h.people.OnRename(func(ctx context.Context, _ *access.Principal, userID int64) error {
		name, _, err := h.people.Ref(ctx, userID)
		if err != nil {
			return err
		}
		return h.content.RenamePersonal(ctx, userID, name)
	})
	h.revisions = revision.New(d, h.audit, h.content)
	h.snippets = snippet.NewService(d, h.content)
	h.timelines = timeline.NewService(d, h.audit, h.content)
	h.warehouse = warehouse.New(warehouse.Deps{
		DB: d, Audit: h.audit, Log: log, HasPeople: h.people.HasSetup,
		Drivers:    []engine.Driver{sqlite.Driver{Files: []string{filepath.Join(cfg.DataDir, sampleName)}}},
		SampleFile: sampleFile(cfg),
	})
	h.people.OnSetup(h.warehouse.ConnectSample)
	h.queries = query.New(query.Deps{Warehouse: h.warehouse, Settings: h.settings, Clock: clk, Timeout: cfg.QueryTimeout, Snippet: h.snippetText, Card: h.cardQuery})
	h.shelf = shelf.NewService(d, h.content, log)
	h.search = search.NewService(d, h.content, api.WarehouseSource(h.warehouse))
	h.cards = card.NewService(cardDeps(h))
	h.dashboards = dashboard.NewService(d, h.content, h.cards, h.revisions)
	h.cards.UseBoards(h.dashboards)
	h.keys = apikey.New(apikey.Deps{
		DB: d, Audit: h.audit, People: h.people, Groups: h.groups, Usage: h.usage, Peppers: peppers,
		Prefix:     func() string { return h.settings.String("api-key-prefix") },
		Vocabulary: h.vocabulary(),
		HasSetting: h.settings.Has,
		Exists:     h.exists,
		Log:        log,
	})
	h.verifier = apikey.NewVerifier(d, peppers, h.people.Subjects(), h.usage, log)
	return h, nil
}

// sampleName is the name of the sample database's file.
const sampleName = "sample.db"

// sampleFile is where the sample database lies, or "" when it is not wanted.
func sampleFile(cfg *config.Config) string {
	if !cfg.SampleDatabase {
		return ""
	}
	return filepath.Join(cfg.DataDir, sampleName)
}
