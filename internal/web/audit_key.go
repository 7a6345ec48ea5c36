package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/fault"
)

// pastedDialog says whose text was pasted.
type pastedDialog struct {
	Key     apikey.Key
	Badge   badge
	Secret  apikey.Secret
	Live    bool
	Last    *time.Time
	KeyTo   string
	AuditTo string
	Back    string
}

// findPastedKey finds the key whose text somebody has pasted. Only the digest
// of the text comes here: the browser computes it.
func (p *page) findPastedKey() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	sum, err := digestOf(f.Get("digest"))
	if err != nil {
		return p.pastedWrong(f, err)
	}
	key, x, err := p.site.Keys.Find(p.ctx(), p.who, sum)
	if fault.Is(err, fault.NotFound) {
		f.status, f.Errors = http.StatusNotFound, map[string]string{"digest": "No key of this instance has or had this text. Look whether all of it was pasted; the key may belong to another instance."}
		return p.pastedPage(f)
	}
	if err != nil {
		return p.pastedWrong(f, err)
	}
	d := pastedDialog{
		Key: key, Badge: stateBadge(key, p.now()), Secret: x, Live: x.Live(p.now()) && key.State(p.now()) == apikey.Active,
		KeyTo: keyPath(key.ID), AuditTo: pathAudit + "?key=" + idText(key.ID), Back: pathAudit,
	}
	last, err := p.site.Usage.Last(p.ctx(), []int64{key.ID})
	if err != nil {
		return err
	}
	d.Last = lastOf(last, key.ID)
	b, err := p.auditBody()
	if err != nil {
		return err
	}
	return p.answer(http.StatusOK, "audit-key", "Whose key this is", b, d)
}

// pastedWrong shows what is wrong with what the browser sent.
func (p *page) pastedWrong(f *form, err error) error {
	if err := f.refused(err, "digest"); err != nil {
		return err
	}
	return p.pastedPage(f)
}

func (p *page) pastedPage(f *form) error {
	b, err := p.auditBody()
	if err != nil {
		return err
	}
	f.Values = nil // nothing of it is shown again
	b.Paste = f
	return p.answer(f.status, "audit", "Audit log", b, nil)
}

// digestOf reads a SHA-256 digest in hexadecimal.
func digestOf(text string) (sum [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(sum) {
		return sum, fault.Field("digest", "This search works with JavaScript only: the browser turns the text into a digest, so that the text itself is never sent.")
	}
	return [sha256.Size]byte(b), nil
}
