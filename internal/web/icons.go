package web

import (
	"fmt"
	"html/template"
)

// icons returns the drawings of the icons, each on a field of 20 by 20.
func icons() map[string]string {
	return map[string]string{
		"gear":      `<path d="M8.4 4.3L8.7 2.2L11.3 2.2L11.6 4.3L12.8 4.8L14.6 3.6L16.4 5.4L15.2 7.2L15.7 8.4L17.8 8.7L17.8 11.3L15.7 11.6L15.2 12.8L16.4 14.6L14.6 16.4L12.8 15.2L11.6 15.7L11.3 17.8L8.7 17.8L8.4 15.7L7.2 15.2L5.4 16.4L3.6 14.6L4.8 12.8L4.3 11.6L2.2 11.3L2.2 8.7L4.3 8.4L4.8 7.2L3.6 5.4L5.4 3.6L7.2 4.8z"/><circle cx="10" cy="10" r="2.7"/>`,
		"pencil":    `<path d="M3.5 16.5l.9-3.6L13.6 3.7a1.7 1.7 0 0 1 2.4 0l.3.3a1.7 1.7 0 0 1 0 2.4l-9.2 9.2z"/><path d="M12.2 5.1l2.7 2.7"/>`,
		"trash":     `<path d="M3.5 5.5h13M8 5.3V3.5h4v1.8M5.2 5.5l.8 11h8l.8-11M8.4 8.7v4.8M11.6 8.7v4.8"/>`,
		"copy":      `<rect x="7" y="7" width="9.5" height="9.5" rx="1.6"/><path d="M4.6 13H3.5V4.6A1.1 1.1 0 0 1 4.6 3.5H13v1.1"/>`,
		"check":     `<path d="M4 10.6l4 4 8-9"/>`,
		"key":       `<circle cx="6.6" cy="13.4" r="3.6"/><path d="M9.2 10.8l7-7M13.2 6.8l2.4 2.4M15.4 4.6l1.6 1.6"/>`,
		"people":    `<circle cx="7.4" cy="6.8" r="2.9"/><path d="M2.2 16.4c.3-3.2 2.3-5 5.2-5s4.9 1.8 5.2 5M12.7 4.2a2.9 2.9 0 0 1 0 5.2M14.4 11.7c2 .6 3.2 2.2 3.4 4.7"/>`,
		"group":     `<rect x="3" y="3" width="6" height="6" rx="1.4"/><rect x="11" y="3" width="6" height="6" rx="1.4"/><rect x="3" y="11" width="6" height="6" rx="1.4"/><rect x="11" y="11" width="6" height="6" rx="1.4"/>`,
		"plus":      `<path d="M10 4v12M4 10h12"/>`,
		"search":    `<circle cx="8.8" cy="8.8" r="5"/><path d="M12.6 12.6l4 4"/>`,
		"left":      `<path d="M12 4.5L6.5 10l5.5 5.5"/>`,
		"right":     `<path d="M8 4.5l5.5 5.5L8 15.5"/>`,
		"sign-out":  `<path d="M8 3.5H4.6a1.1 1.1 0 0 0-1.1 1.1v10.8a1.1 1.1 0 0 0 1.1 1.1H8M12.5 6.5L16 10l-3.5 3.5M16 10H7.5"/>`,
		"person":    `<circle cx="10" cy="6.8" r="3.1"/><path d="M4 16.6c.4-3.4 2.7-5.3 6-5.3s5.6 1.9 6 5.3"/>`,
		"lock":      `<rect x="4.5" y="9" width="11" height="7.5" rx="1.5"/><path d="M7 9V6.5a3 3 0 0 1 6 0V9"/>`,
		"mail":      `<rect x="2.8" y="4.5" width="14.4" height="11" rx="1.5"/><path d="M3.2 5.5L10 10.8l6.8-5.3"/>`,
		"close":     `<path d="M5 5l10 10M15 5L5 15"/>`,
		"warning":   `<path d="M10 3.2l7.6 13.3H2.4zM10 8.3v3.8M10 14.2v.2"/>`,
		"sliders":   `<path d="M3 6h7M14 6h3M3 14h3M10 14h7"/><circle cx="12" cy="6" r="1.9"/><circle cx="8" cy="14" r="1.9"/>`,
		"refresh":   `<path d="M16.3 8.5A6.5 6.5 0 0 0 4.4 6.7M3.7 11.5a6.5 6.5 0 0 0 11.9 1.8M4 3v4h4M16 17v-4h-4"/>`,
		"rotate":    `<path d="M3.5 8.2h11M11.5 5l3.2 3.2-3.2 3.2M16.5 12.6h-11M8.5 9.6l-3.2 3 3.2 3.2"/>`,
		"pause":     `<circle cx="10" cy="10" r="7"/><path d="M8 7.4v5.2M12 7.4v5.2"/>`,
		"log":       `<path d="M5 3.5h10v13H5zM7.5 7h5M7.5 10h5M7.5 13h3"/>`,
		"download":  `<path d="M10 3.5v8.5M6.5 8.7l3.5 3.5 3.5-3.5M4 16.3h12"/>`,
		"question":  `<circle cx="10" cy="10" r="6.7"/><path d="M8.1 8.1a2 2 0 1 1 2.7 1.9c-.6.25-.8.6-.8 1.2M10 13.4v.2"/>`,
		"folder":    `<path d="M2.8 5.4a1.2 1.2 0 0 1 1.2-1.2h3.6l1.7 2h6.7a1.2 1.2 0 0 1 1.2 1.2v7.4a1.2 1.2 0 0 1-1.2 1.2H4a1.2 1.2 0 0 1-1.2-1.2z"/>`,
		"table":     `<rect x="3" y="4" width="14" height="12" rx="1.4"/><path d="M3 8.2h14M3 12.1h14M8.2 8.2V16"/>`,
		"dashboard": `<rect x="3" y="3.5" width="8" height="6" rx="1.2"/><rect x="13" y="3.5" width="4" height="6" rx="1.2"/><rect x="3" y="11.5" width="4" height="5" rx="1.2"/><rect x="9" y="11.5" width="8" height="5" rx="1.2"/>`,
		"model":     `<path d="M10 2.8l6.3 3.6v7.2L10 17.2l-6.3-3.6V6.4zM3.7 6.4L10 10l6.3-3.6M10 10v7.2"/>`,
		"metric":    `<path d="M3.5 16.5V12M8 16.5V8.5M12.5 16.5v-6M17 16.5v-13"/>`,
		"timeline":  `<path d="M3 10h14"/><circle cx="6" cy="10" r="1.8"/><circle cx="13" cy="10" r="1.8"/>`,
		"code":      `<path d="M7 5.5L2.8 10 7 14.5M13 5.5l4.2 4.5-4.2 4.5"/>`,
		"home":      `<path d="M3.2 9.2L10 3.4l6.8 5.8M5 8v8.2h10V8"/>`,
		"history":   `<path d="M4 5.5V9h3.5M4.3 8.8A6.2 6.2 0 1 1 4 11.6M10 6.6V10l2.4 1.6"/>`,
		"device":    `<rect x="3" y="4" width="14" height="9.5" rx="1.3"/><path d="M7.5 16.5h5M10 13.5v3"/>`,
	}
}

// icon returns an icon as it stands in a page. It is decoration: the text
// beside it, or the label of its button, says what it means.
func icon(name string) (template.HTML, error) {
	drawing, ok := icons()[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">` + drawing + `</svg>`), nil
}
