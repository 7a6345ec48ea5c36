package cli

import (
	"log/slog"
	"strings"
	"time"

	"latchkey/internal/config"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/setting"
)

// overrides are the settings that the configuration sets: people see them,
// and cannot change them.
func overrides(cfg *config.Config) setting.Overrides {
	all := map[string]struct {
		key   string
		value any
	}{
		"site-name":                 {"site-name", cfg.SiteName},
		"site-url":                  {"site-url", cfg.SiteURL},
		"key-prefix":                {"api-key-prefix", cfg.KeyPrefix},
		"session-cookies":           {"session-cookies", cfg.SessionCookies},
		"session-timeout":           {"session-timeout", timeout(cfg.SessionTimeout)},
		"cors-origins":              {"embedding-app-origins-sdk", strings.Join(cfg.CORSOrigins, " ")},
		"disable-cors-on-localhost": {"disable-cors-on-localhost", cfg.DisableCORSOnLocalhost},
		"smtp-host":                 {"email-smtp-host", cfg.SMTP.Host},
		"smtp-port":                 {"email-smtp-port", int64(cfg.SMTP.Port)},
		"smtp-security":             {"email-smtp-security", cfg.SMTP.Security},
		"smtp-user":                 {"email-smtp-username", cfg.SMTP.User},
		"smtp-from":                 {"email-from-address", cfg.SMTP.From},
	}
	out := setting.Overrides{}
	for option, s := range all {
		if cfg.IsSet(option) {
			out[s.key] = s.value
		}
	}
	return out
}

// timeout is the form of the setting session-timeout: an amount and its unit.
func timeout(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return map[string]any{"amount": int64(d / time.Minute), "unit": "minutes"}
}

func mailConfig(cfg *config.Config, log *slog.Logger) mail.Config {
	return mail.Config{
		Host: cfg.SMTP.Host, Port: cfg.SMTP.Port, User: cfg.SMTP.User, Password: cfg.SMTP.Password,
		Security: cfg.SMTP.Security, From: cfg.SMTP.From, Log: log,
	}
}

func peopleDeps(cfg *config.Config, log *slog.Logger, h *house) people.Deps {
	return people.Deps{
		DB: h.db, Audit: h.audit, Groups: h.groups, Settings: h.settings, Mail: h.mail, Log: log,
		Options: people.Options{
			SessionMaxAge:   cfg.SessionMaxAge,
			Complexity:      people.Complexity(cfg.PasswordComplexity),
			PasswordLength:  cfg.PasswordLength,
			HashConcurrency: cfg.Argon2MaxConcurrent,
			DisableThrottle: cfg.DisableSessionThrottle,
		},
	}
}
