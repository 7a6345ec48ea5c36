package v1

// Codes returns the words of the table of codes.
func Codes() []string {
	var out []string
	for _, c := range codes() {
		out = append(out, c.word)
	}
	return out
}

// ProblemRow is a row of docs/problems.md.
type ProblemRow struct {
	Word, Title, Do string
	Status          int
}

// ProblemRows returns the table of codes.
func ProblemRows() []ProblemRow {
	var out []ProblemRow
	for _, c := range codes() {
		out = append(out, ProblemRow{c.word, c.title, c.do, c.status})
	}
	return out
}

// FieldRows returns the codes of fields with what they mean.
func FieldRows() [][2]string {
	var out [][2]string
	for _, c := range fieldCodes() {
		out = append(out, [2]string{c.word, c.means})
	}
	return out
}
