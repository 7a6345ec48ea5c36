package web_test

import (
	"fmt"
	"net/http/httputil"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/access"
)

func TestTry(t *testing.T) {
	mode := os.Getenv("LATCHKEY_TRY")
	if mode == "" {
		t.Skip()
	}
	var w *world
	if mode == "new" { w = newWorld(t) } else { w = ready(t) }
	n := 0
	fmt.Sscan(os.Getenv("LATCHKEY_N"), &n)
	if mode == "full" {
		names := []string{"Analysts", "Data engineering", "Nightly jobs", "Dashboards (read only)", "Überwachung & Betrieb"}
		var ids []int64
		for _, nm := range names { g, err := w.groups.Create(t.Context(), boss(), nm); w.must(err); ids = append(ids, g.ID) }
		for i, nm := range []string{"nightly-export", "dbt on CI", "Grafana panels", "Metabase migration", "terraform", "mobile app backend", "<script>alert(1)</script>", "a-very-long-name-without-any-blanks-"+"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"} {
			_, _, err := w.keys.Create(t.Context(), boss(), nm, ids[i%len(ids)]); w.must(err)
		}
		for i, nm := range [][2]string{{"Bo","Karlsson"},{"Chidi","Okafor"},{"Dana","Levi"},{"Emeka","Ńowak"},{"Fatima","al-Zahra"}} {
			f, l := nm[0], nm[1]
			_, err := w.people.Create(t.Context(), boss(), people.NewUser{Email: fmt.Sprintf("user%d@example.com", i), FirstName: &f, LastName: &l, Password: secret.New("correct horse 42"), Groups: []int64{access.AllUsers, ids[i%3], ids[(i+1)%5], ids[(i+2)%5]}}); w.must(err)
		}
		for i := range n { 
			_, err := w.groups.Create(t.Context(), boss(), fmt.Sprintf("Group %04d", i)); w.must(err)
			if i < 300 { _, _, err = w.keys.Create(t.Context(), boss(), fmt.Sprintf("key %04d", i), ids[0]); w.must(err) }
		}
	}
	u, _ := url.Parse(w.URL)
	p := httputil.NewSingleHostReverseProxy(u)
	p.Director = nil
	p.Rewrite = func(r *httputil.ProxyRequest) { r.SetURL(u); r.Out.Host = r.In.Host }
	go http.ListenAndServe("127.0.0.1:"+os.Getenv("LATCHKEY_PORT"), p)
	fmt.Println("up", w.URL)
	time.Sleep(3 * time.Hour)
}
