package usage

import (
	"context"
	"errors"
)

// LoseAnswer makes the next commit go through without anybody knowing, as when
// the connection breaks at that moment.
func (s *Service) LoseAnswer() {
	commit := s.inTx
	s.inTx = func(ctx context.Context, f func(ctx context.Context) error) error {
		s.inTx = commit
		if err := commit(ctx, f); err != nil {
			return err
		}
		return errors.New("connection lost")
	}
}
