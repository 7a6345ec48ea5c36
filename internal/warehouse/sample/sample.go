package sample

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"latchkey/internal/engine/sqlite"
)

// How many rows there are.
const (
	Products = 200
	People   = 2500
	Orders   = 20000
	Reviews  = 1112
)

// The shop opened on the first day and is looked at on the last.
const (
	firstDay = "2023-04-01"
	days     = 1340
)

// Write makes the file. It takes less than a second.
func Write(ctx context.Context, path string) error {
	return sqlite.Create(ctx, path, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		start, err := time.Parse(time.DateOnly, firstDay)
		if err != nil {
			return err
		}
		s := &shop{ctx: ctx, tx: tx, start: start, rand: rand.New(rand.NewPCG(7, 1962))}
		for _, fill := range []func() error{s.products, s.people, s.orders, s.reviews} {
			if err := fill(); err != nil {
				return err
			}
		}
		return nil
	})
}

const schema = `
CREATE TABLE PRODUCTS (
  ID INTEGER PRIMARY KEY, EAN CHAR(13), TITLE VARCHAR(255), CATEGORY VARCHAR(255), VENDOR VARCHAR(255),
  PRICE DOUBLE, RATING DOUBLE, CREATED_AT TIMESTAMP
);
CREATE TABLE PEOPLE (
  ID INTEGER PRIMARY KEY, NAME VARCHAR(255), EMAIL VARCHAR(255), ADDRESS VARCHAR(255), CITY VARCHAR(255),
  STATE CHAR(2), ZIP CHAR(5), LATITUDE DOUBLE, LONGITUDE DOUBLE, SOURCE VARCHAR(255), BIRTH_DATE DATE, CREATED_AT TIMESTAMP
);
CREATE TABLE ORDERS (
  ID INTEGER PRIMARY KEY, USER_ID INTEGER REFERENCES PEOPLE (ID), PRODUCT_ID INTEGER REFERENCES PRODUCTS (ID),
  SUBTOTAL DOUBLE, TAX DOUBLE, TOTAL DOUBLE, DISCOUNT DOUBLE, CREATED_AT TIMESTAMP, QUANTITY INTEGER
);
CREATE TABLE REVIEWS (
  ID INTEGER PRIMARY KEY, PRODUCT_ID INTEGER REFERENCES PRODUCTS (ID), REVIEWER VARCHAR(255), RATING INTEGER,
  BODY TEXT, CREATED_AT TIMESTAMP
);`

// shop fills the tables, one after the other, from one source of numbers.
type shop struct {
	ctx   context.Context
	tx    *sql.Tx
	rand  *rand.Rand
	start time.Time

	prices  []float64 // by product
	opened  []int     // the day on which a product came
	joined  []int     // the day on which a person came
	taxes   []float64 // by person
	names   []string  // by person
	ratings []float64 // by product
}

// fill inserts n rows.
func (s *shop) fill(table string, columns, n int, row func(i int) []any) error {
	stmt, err := s.tx.PrepareContext(s.ctx, "INSERT INTO "+table+" VALUES (?"+strings.Repeat(", ?", columns-1)+")")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for i := range n {
		if _, err := stmt.ExecContext(s.ctx, row(i)...); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

func (s *shop) pick(words []string) string { return words[s.rand.IntN(len(words))] }

// money rounds to cents.
func money(f float64) float64 { return float64(int64(f*100+0.5)) / 100 }

// moment is some time of a day, in the hours when people are awake.
func (s *shop) moment(day int) string {
	at := s.start.AddDate(0, 0, day).Add(7*time.Hour + time.Duration(s.rand.IntN(15*3600))*time.Second)
	return at.Format(time.DateTime)
}

// dayFrom is a day from a first one on; later ones are likelier, for the shop grows.
func (s *shop) dayFrom(first int) int {
	span := days - first
	return first + max(s.rand.IntN(span), s.rand.IntN(span))
}

func (s *shop) products() error {
	return s.fill("PRODUCTS", 8, Products, func(i int) []any {
		kind := &kinds[s.rand.IntN(len(kinds))]
		price := money(kind.from + s.rand.Float64()*kind.span)
		day := s.rand.IntN(300)
		rating := float64(s.rand.IntN(31)+20) / 10
		s.prices, s.opened, s.ratings = append(s.prices, price), append(s.opened, day), append(s.ratings, rating)
		title := s.pick(adjectives) + " " + s.pick(materials) + " " + s.pick(kind.things)
		vendor := s.pick(surnames) + " " + s.pick([]string{"and Sons", "and Daughters", "Works", "Brothers", "Trading", "Supplies"})
		return []any{i + 1, ean(i), title, kind.name, vendor, price, rating, s.moment(day)}
	})
}

// ean is a number of 13 digits with a check digit, from the range that shops
// use inside their own walls.
func ean(i int) string {
	digits := fmt.Sprintf("20%010d", 4711*(i+1))
	sum := 0
	for k, d := range digits {
		weight := 1 + 2*(k%2)
		sum += int(d-'0') * weight
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}

func (s *shop) people() error {
	return s.fill("PEOPLE", 12, People, func(i int) []any {
		first, last := s.pick(forenames), s.pick(surnames)
		city := &cities[s.rand.IntN(len(cities))]
		day := s.rand.IntN(days - 30)
		name := first + " " + last
		s.joined, s.names, s.taxes = append(s.joined, day), append(s.names, name), append(s.taxes, city.tax)
		email := strings.ToLower(fmt.Sprintf("%s.%s.%d@example.com", first, last, i+1))
		address := fmt.Sprintf("%d %s", s.rand.IntN(980)+1, s.pick(streets))
		born := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, s.rand.IntN(20000))
		return []any{
			i + 1, name, email, address, city.name, city.state, fmt.Sprintf("%05d", city.zip+s.rand.IntN(90)),
			round4(city.lat + s.rand.Float64()/5), round4(city.long + s.rand.Float64()/5),
			s.pick(sources), born.Format(time.DateOnly), s.moment(day),
		}
	})
}

func round4(f float64) float64 { return float64(int64(f*10000)) / 10000 }

func (s *shop) orders() error {
	return s.fill("ORDERS", 9, Orders, func(i int) []any {
		user, product := s.rand.IntN(People), s.rand.IntN(Products)
		if other := s.rand.IntN(Products); s.ratings[other] > s.ratings[product] {
			product = other // what is better sells better
		}
		quantity := 1 + min(s.rand.IntN(9), s.rand.IntN(9))
		subtotal := money(s.prices[product] * float64(quantity))
		tax := money(subtotal * s.taxes[user])
		var discount any
		off := 0.0
		if s.rand.IntN(10) == 0 {
			off = money(subtotal * float64(s.rand.IntN(20)+1) / 100)
			discount = off
		}
		day := s.dayFrom(max(s.joined[user], s.opened[product]))
		return []any{i + 1, user + 1, product + 1, subtotal, tax, money(subtotal + tax - off), discount, s.moment(day), quantity}
	})
}

func (s *shop) reviews() error {
	return s.fill("REVIEWS", 6, Reviews, func(i int) []any {
		product := s.rand.IntN(Products)
		rating := min(max(int(s.ratings[product]+s.rand.Float64()*2-0.5), 1), 5)
		reviewer := strings.ToLower(strings.ReplaceAll(s.pick(s.names), " ", "-"))
		body := s.pick(openings) + " " + s.pick(opinions[rating-1]) + " " + s.pick(closings)
		return []any{i + 1, product + 1, reviewer, rating, body, s.moment(s.dayFrom(s.opened[product]))}
	})
}
