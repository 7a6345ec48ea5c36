package seed

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// bootstrapName is what the key of the first start is called.
const bootstrapName = "Bootstrap key"

// Bootstrap makes a key of administrators with a given text, for programs that
// set the instance up. It does so once in the life of an instance, and only
// while that has no people; it reports whether it did. The key ends with
// set-up, or when its time is over. It returns Invalid for a text that is no
// key.
func (s *Service) Bootstrap(ctx context.Context, text secret.Text, life time.Duration) (bool, error) {
	made := false
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		done, err := s.people.HasSetup(ctx)
		if err != nil || done {
			return err
		}
		items, err := s.readItems(ctx)
		if err != nil {
			return err
		}
		if _, before := items[named(kindBootstrap, bootstrapName)]; before {
			return nil
		}
		who := access.CommandLine()
		k, _, err := s.keys.Make(ctx, who, apikey.Draft{
			Name: bootstrapName, Description: "Made at the first start. It ends when set-up is done, or when its time is over.",
			Groups: []int64{access.Administrators}, ExpiresAt: opt.Of(s.db.Now(ctx).Add(life)),
			Source: apikey.SourceBootstrap, Supplied: text,
		})
		if err != nil {
			return err
		}
		made = true
		return s.remember(ctx, kindBootstrap, bootstrapName, k.ID)
	})
	return made && err == nil, err
}
