package cli

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content/card"
	"latchkey/internal/query/mbql"
)

// cardDeps gives the cards what lies above them.
func cardDeps(h *house) card.Deps {
	return card.Deps{
		DB: h.db, Audit: h.audit, Content: h.content, Revisions: h.revisions,
		// Whoever is signed in may query every connected database.
		MayRun: func(_ context.Context, who *access.Principal, _ mbql.Query) error { return access.RequireSignedIn(who) },
	}
}
