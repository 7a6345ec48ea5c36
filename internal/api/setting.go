package api

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/setting"
)

// wireSetting is a setting as administrators see it. The value is null when it
// is the default or comes from the configuration.
type wireSetting struct {
	Key         string `json:"key"`
	Value       any    `json:"value"`
	IsEnv       bool   `json:"is_env_setting"`
	EnvName     string `json:"env_name"`
	Description string `json:"description"`
	Default     any    `json:"default"`
}

type settingKey struct {
	Key string `path:"key"`
}

type changeSettingInput struct {
	Key   string         `path:"key"`
	Value opt.Value[any] `json:"value" rule:"required"`
}

type changeSettingsInput struct {
	Values map[string]any `json:"*" kind:"settings"`
}

// SettingEndpoints returns the routes of /api/setting.
func SettingEndpoints(settings *setting.Service) []endpoint.Endpoint {
	read, write := access.Admin("settings", access.Read), access.Admin("settings", access.Write)
	readOne, writeOne := read.Naming("settings", "key"), write.Naming("settings", "key")
	s := settingRoutes{settings}
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/setting", "List the settings", read, s.list),
		endpoint.New("PUT", "/api/setting", "Change several settings, all or none", write, s.setMany),
		endpoint.New("GET", "/api/setting/{key}", "Get the value of a setting; 204 when it has its default", readOne, s.get),
		endpoint.New("PUT", "/api/setting/{key}", "Change a setting; null takes it back to its default", writeOne, s.set),
	}
}

type settingRoutes struct{ settings *setting.Service }

func (s settingRoutes) list(ctx context.Context, c *endpoint.Call, _ endpoint.None) ([]wireSetting, error) {
	items, err := s.settings.All(ctx, c.Who)
	out := make([]wireSetting, len(items))
	for i, it := range items {
		out[i] = wireSetting{
			Key: it.Key, Value: it.Value, IsEnv: it.IsEnv, EnvName: it.EnvName,
			Description: it.Description, Default: it.Default,
		}
	}
	return out, err
}

func (s settingRoutes) get(ctx context.Context, c *endpoint.Call, in settingKey) (any, error) {
	v, set, err := s.settings.Get(ctx, c.Who, in.Key)
	if err != nil || !set {
		return nil, err
	}
	return v, nil
}

func (s settingRoutes) set(ctx context.Context, c *endpoint.Call, in changeSettingInput) (endpoint.None, error) {
	return endpoint.None{}, s.settings.Set(ctx, c.Who, in.Key, in.Value.Or(nil))
}

func (s settingRoutes) setMany(ctx context.Context, c *endpoint.Call, in changeSettingsInput) (endpoint.None, error) {
	return endpoint.None{}, s.settings.SetMany(ctx, c.Who, in.Values)
}
