package web

import (
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	f := newFormatter()
	const rel = ` rel="noopener noreferrer"`
	for _, c := range []struct{ name, text, want string }{
		{"a paragraph", "one\ntwo\n\nthree", "<p>one\ntwo</p>\n<p>three</p>\n"},
		{"headings", "# A\n## B\n#### C ##", "<h3>A</h3>\n<h4>B</h4>\n<h5>C</h5>\n"},
		{"no heading", "#1 of all", "<p>#1 of all</p>\n"},
		{"lists", "- a\n- b\n  - c", "<ul>\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n"},
		{"quote and rule", "> said\n> so\n\n---", "<blockquote>\n<p>said\nso</p>\n</blockquote>\n<hr>\n"},
		{"emphasis", "**very** *much* ~~no~~ snake_case_name", "<p><strong>very</strong> <em>much</em> <del>no</del> snake_case_name</p>\n"},
		{"code", "`a *b* <i>`", "<p><code>a *b* &lt;i&gt;</code></p>\n"},
		{"block of code", "```\n<b>\n\n*x*\n```", "<pre><code>&lt;b&gt;\n\n*x*\n</code></pre>\n"},
		{
			"table", "| a | b |\n|---|--:|\n| 1 | 2 |",
			"<table>\n<thead>\n<tr>\n<th>a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>\n",
		},
		{
			"links", "[docs](https://example.com/a_b_c?x=1&y=2) [here](/dashboard/1) [mail](mailto:ada@example.com)",
			`<p><a href="https://example.com/a_b_c?x=1&amp;y=2"` + rel + `>docs</a> <a href="/dashboard/1"` + rel + `>here</a> ` +
				`<a href="mailto:ada@example.com"` + rel + ">mail</a></p>\n",
		},
		{"an address", "see https://example.com/x", `<p>see <a href="https://example.com/x"` + rel + ">https://example.com/x</a></p>\n"},
		{"a picture", "![a *chart*](https://example.com/x.png)", `<p><a href="https://example.com/x.png"` + rel + ">a <em>chart</em></a></p>\n"},
		{"a picture in a link", "[![a](https://example.com/a.png)](javascript:x)", `<p><a href="https://example.com/a.png"` + rel + ">a</a></p>\n"},
		{"bad links", "[x](javascript:alert(1)) [y](//example.com) [z](data:text/html,1) [e](javascript&colon;alert(1)) ![p](javascript:1) <javascript:alert(1)>", "<p>x y z e p &lt;javascript:alert(1)&gt;</p>\n"},
		{"HTML", "<script>alert(\"1\")</script>\n\na <b onclick='x'>b</b> <!-- c -->", "<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</p>\n<p>a &lt;b onclick='x'&gt;b&lt;/b&gt; &lt;!-- c --&gt;</p>\n"},
		{"windows", "a\r\n\r\nb", "<p>a</p>\n<p>b</p>\n"},
		{"too long", strings.Repeat("*", longestMarkdown+1), "<p>" + strings.Repeat("*", longestMarkdown+1) + "</p>"},
	} {
		if got := string(f.format(c.text)); got != c.want {
			t.Errorf("%s:\n got %.300s\nwant %.300s", c.name, got, c.want)
		}
	}
}

// FuzzMarkdown looks for a text that becomes more than the elements we want.
func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"<script>", "[a](javascript:b)", "![a](x)", "<http://a>", "[a]: javascript:b\n\n[a]", "www.example.com", "a@example.com"} {
		f.Add(s)
	}
	m := newFormatter()
	f.Fuzz(func(t *testing.T, s string) {
		got := strings.ToLower(string(m.format(s)))
		for _, bad := range []string{"<script", "<img", "<iframe", "<!--", `href="javascript`, `href="data:`, `href="//`, "<style"} {
			if strings.Contains(got, bad) {
				t.Errorf("%q gives %s", s, got)
			}
		}
	})
}
