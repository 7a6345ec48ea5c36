package sample

// kind is a category of products with its range of prices.
type kind struct {
	name       string
	from, span float64
	things     []string
}

var kinds = []kind{
	{"Doohickey", 12, 60, []string{"Lamp", "Clock", "Bell", "Mirror", "Vase"}},
	{"Gadget", 20, 75, []string{"Keyboard", "Computer", "Radio", "Watch", "Torch"}},
	{"Gizmo", 15, 70, []string{"Bottle", "Wallet", "Knife", "Umbrella", "Plate"}},
	{"Widget", 18, 72, []string{"Chair", "Table", "Bench", "Shoes", "Hat", "Gloves"}},
}

// city is an invented place with its rate of tax.
type city struct {
	name, state string
	zip         int
	lat, long   float64
	tax         float64
}

var cities = []city{
	{"Alderbrook", "OR", 97100, 44.1, -121.5, 0},
	{"Brackwater", "MN", 56200, 45.3, -94.8, 0.068},
	{"Cinder Falls", "WY", 82100, 43.2, -107.6, 0.04},
	{"Dunmere", "ME", 4300, 44.6, -69.5, 0.055},
	{"Eastvale Junction", "NE", 68700, 41.6, -99.2, 0.055},
	{"Fennimore Bay", "WI", 54100, 44.8, -88.1, 0.05},
	{"Greywell", "KS", 67500, 38.4, -98.3, 0.065},
	{"Harrow Creek", "MT", 59400, 46.9, -110.2, 0},
	{"Ironwood Pass", "CO", 81200, 38.8, -105.9, 0.029},
	{"Juniper Flats", "NM", 87000, 34.9, -106.4, 0.05},
	{"Kestrel Point", "WA", 98500, 47.2, -122.9, 0.065},
	{"Larkspur Hollow", "KY", 40300, 37.9, -84.2, 0.06},
	{"Marrow Bend", "AR", 72000, 34.8, -92.6, 0.065},
	{"Northmoor", "ND", 58400, 47.4, -100.1, 0.05},
	{"Otter Landing", "VT", 5600, 44.3, -72.7, 0.06},
	{"Pinecroft", "GA", 30500, 33.4, -83.6, 0.04},
}

var (
	sources   = []string{"Affiliate", "Facebook", "Google", "Organic", "Organic", "Twitter"}
	streets   = []string{"Acorn Lane", "Birch Street", "Canal Road", "Depot Street", "Elm Avenue", "Foundry Road", "Garden Row", "Hillside Drive", "Mill Street", "Orchard Way", "Quarry Road", "River Walk", "School Lane", "Station Road", "Willow Court"}
	forenames = []string{"Adele", "Amos", "Anika", "Basil", "Bea", "Caleb", "Carmen", "Dario", "Dora", "Edgar", "Elsa", "Farid", "Flora", "Gideon", "Greta", "Hana", "Hugo", "Ida", "Ivo", "Jonah", "Juno", "Kira", "Lars", "Leona", "Mabel", "Milo", "Nadia", "Nils", "Olive", "Oscar", "Paula", "Quinn", "Rosa", "Rufus", "Selma", "Silas", "Thea", "Tomas", "Uma", "Viktor", "Wanda", "Yusuf", "Zelda"}
	surnames  = []string{"Abernathy", "Ashdown", "Barrow", "Bellwood", "Calloway", "Corbin", "Drummond", "Eastley", "Fairbank", "Fosse", "Gantry", "Hallow", "Hartwick", "Ingram", "Jessop", "Kettering", "Lindqvist", "Lovage", "Marchbank", "Merriweather", "Nightingale", "Oakes", "Pemberton", "Pickering", "Quill", "Rookwood", "Sandoval", "Sorrel", "Tamworth", "Underhill", "Vance", "Wetherby", "Whitlock", "Yarrow", "Zielke"}

	adjectives = []string{"Aerodynamic", "Awesome", "Durable", "Enormous", "Ergonomic", "Fantastic", "Gorgeous", "Heavy", "Incredible", "Intelligent", "Lightweight", "Mediocre", "Practical", "Rustic", "Sleek", "Small", "Synergistic"}
	materials  = []string{"Aluminum", "Bronze", "Concrete", "Copper", "Cotton", "Granite", "Iron", "Leather", "Linen", "Marble", "Paper", "Plastic", "Rubber", "Silk", "Steel", "Wooden", "Wool"}

	openings = []string{"Bought it for the office.", "A present for my brother.", "Ordered on a whim.", "It came within two days.", "We needed a second one.", "My third order here."}
	closings = []string{"Would order again.", "The colour is a little different from the picture.", "The box could have been smaller.", "Shipping was quick.", "Ask me again in a year."}
	opinions = [][]string{
		{"It broke on the first day.", "I sent it back.", "Not what I was promised."},
		{"It does half of what it should.", "The edges are rough.", "Too dear for what it is."},
		{"It does its job.", "Neither good nor bad.", "Fine for the price."},
		{"Well made and easy to clean.", "Better than the one I had.", "The finish is lovely."},
		{"I cannot imagine the house without it.", "Everybody asks where I got it.", "Perfect in every way."},
	}
)

// Describe returns what a table or one of its columns holds, "" when its name
// says enough.
func Describe(table, column string) string {
	if column == "" {
		return tableNotes[table]
	}
	return columnNotes[table+"."+column]
}

var tableNotes = map[string]string{
	"ORDERS":   "Confirmed orders for a product, one row for each.",
	"PEOPLE":   "Everybody who has an account at the shop. All of them are invented.",
	"PRODUCTS": "Everything that the shop sells or sold.",
	"REVIEWS":  "What customers wrote about products.",
}

var columnNotes = map[string]string{
	"ORDERS.SUBTOTAL":   "Price times quantity, before tax and discount.",
	"ORDERS.TAX":        "Tax by the rate of the customer's city.",
	"ORDERS.TOTAL":      "What was paid: subtotal and tax, less the discount.",
	"ORDERS.DISCOUNT":   "Taken off the price; empty when there was none.",
	"ORDERS.CREATED_AT": "When the order was placed, in UTC.",
	"PEOPLE.SOURCE":     "Where the person heard of the shop.",
	"PEOPLE.CREATED_AT": "When the person made the account, in UTC.",
	"PRODUCTS.EAN":      "A number of 13 digits that the shop gives its products.",
	"PRODUCTS.RATING":   "Average of the ratings, from 1 to 5.",
	"REVIEWS.RATING":    "From 1, the worst, to 5.",
}
