// Package dashboard is dashboards: their particulars, tabs, and the questions
// and texts that stand in their grid.
//
// Owns: the tables dashboard, dashboard_tab, dashcard and dashcard_series; what
// a full replacement of tabs and dashcards means, copies, and which parameter
// reaches which question. Facts: contract/content-data.md 4.
//
// Does not own: names, places, the trash and who may do what (package content),
// questions (content/card), running them (package query).
package dashboard
