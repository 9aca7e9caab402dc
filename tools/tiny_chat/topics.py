# ruff: noqa: E501, SIM905 -- a table, a row a line
"""What the tests' chat model's companion talks about: everyday things, by kind.

A kind is seven lines: its name, its nouns, what they do, what people do with them, where, their
parts, how they are. Nouns: `bread~` is a mass noun, `scissors+` is always plural, `shelf/shelves`
has a plural of its own. Verbs stand in the base form and agree later; `{it}` is the noun itself.
"""

from __future__ import annotations

TABLE = """
bread
bread~, cake, pie, dough~, loaf/loaves, biscuit, bun, pancake, toast~, pastry/pastries, waffle, flour~
rest under a cloth; rise in the warm; come out of the oven; cool on a rack
bake {it} before noon; cut {it} into thin slices; share {it} at breakfast; wrap {it} in a cloth
in the kitchen; at the bakery; on the table; near the oven
crust; smell; weight; colour
warm; round; soft; brown
soup
soup~, stew, broth~, sauce, porridge~, curry/curries, gravy~, chowder, noodle, dumpling
simmer on the stove; thicken after an hour; stand in the pot; fill the bowl
stir {it} with a spoon; heat {it} slowly; pour {it} into a bowl; season {it} with salt
in the kitchen; on the stove; at the dinner table; in the big pot
taste; heat; colour; steam
hot; thick; salty; simple
drinks
tea~, coffee~, milk~, juice~, lemonade~, cocoa~, water~, cider~, syrup~, punch~
stand in the cup; cool near the window; come in a jug; go well with lunch
pour {it} into a mug; drink {it} in the morning; order {it} with a meal; keep {it} in the fridge
in the kitchen; at the cafe; on the tray; by the window
taste; temperature; price; smell
warm; clear; cold; mild
fruit
apple, pear, plum, cherry/cherries, peach/peaches, grape, lemon, melon, fig, apricot, raspberry/raspberries, orange
grow on the branch; ripen in late summer; lie in the basket; fall into the grass
pick {it} by hand; wash {it} in cold water; peel {it} with a knife; dry {it} for the winter
in the orchard; on the market stall; in the fruit bowl; behind the wall
skin; juice; stone; size
ripe; sweet; green; small
vegetables
carrot, onion, potato/potatoes, tomato/tomatoes, cabbage, leek, bean, pea, pumpkin, cucumber, radish/radishes, beetroot
grow in rows; need water twice a week; keep for a month; lie in the crate
plant {it} in spring; chop {it} for the pan; dig {it} up in autumn; boil {it} for ten minutes
in the vegetable bed; at the market; in the cellar; in the pan
leaf; root; colour; size
fresh; raw; heavy; long
dairy
butter~, cheese~, cream~, yogurt~, egg, jam~, honey~, mustard~, salt~, pepper~
stay on the shelf; go with bread; come from the farm; last for weeks
spread {it} on toast; buy {it} at the counter; weigh {it} on the scale; add {it} to the pan
in the fridge; at the dairy; on the breakfast table; in the pantry
taste; jar; label; price
yellow; plain; mild; local
weather
rain~, snow~, wind~, fog~, frost~, thunder~, hail~, sunshine~, storm, cloud, rainbow
come from the west; pass before evening; cover the hills; change within an hour
watch {it} through the window; measure {it} at the station; expect {it} in the north; write {it} down in a diary
over the town; above the valley; along the coast; on the roof
force; length; sound; direction
grey; light; heavy; early
sky
moon, star, sunrise, sunset, planet, comet, sky/skies, shadow, eclipse, horizon
appear above the roofs; move slowly to the west; look small from here; fade before breakfast
watch {it} from the hill; draw {it} on paper; photograph {it} at night; point at {it} from the porch
above the sea; over the fields; behind the church; in the east
colour; edge; height; light
bright; pale; distant; low
garden
garden, lawn, hedge, pond, fence, path, greenhouse, flowerbed, compost~, gate
lie behind the house; face the south; need work in March; stay green until autumn
clean {it} on Saturday; plan {it} on paper; show {it} to the guests; water {it} after sunset
behind the house; beside the shed; near the old wall; at the end of the street
corner; edge; length; soil
small; tidy; square; old
flowers
rose, tulip, daisy/daisies, lily/lilies, violet, sunflower, poppy/poppies, orchid, daffodil, lavender~
open in the morning; bloom until June; stand in a vase; turn to the light
plant {it} by the fence; water {it} every evening; cut {it} with scissors; give {it} to a neighbour
in the garden; on the terrace; at the flower stall; along the path
stem; petal; smell; colour
tall; red; white; delicate
trees
oak, birch/birches, willow, maple, pine, chestnut, beech/beeches, elm, spruce, hazel
stand by the road; lose leaves in autumn; grow for a century; give shade at noon
plant {it} on a slope; prune {it} in winter; climb {it} with a rope; measure {it} with a tape
in the park; at the edge of the wood; near the school; along the river
bark; trunk; shade; root
tall; old; broad; straight
cats and dogs
cat, dog, kitten, puppy/puppies, rabbit, hamster, tortoise, parrot, goldfish/goldfish, guinea pig
sleep on the sofa; wait near the door; eat twice a day; follow the children
feed {it} in the morning; brush {it} on Sundays; take {it} to the vet; teach {it} to sit
in the living room; under the table; on the cushion; in the basket
tail; ear; food; voice
quiet; small; young; curious
farm animals
cow, horse, goat, sheep/sheep, hen, duck, goose/geese, donkey, pig, pony/ponies
stand in the meadow; drink from the trough; walk to the barn; rest in the straw
feed {it} with hay; lead {it} to the field; count {it} at night; keep {it} behind a fence
on the farm; in the stable; behind the barn; on the hill
coat; leg; feed; pace
slow; brown; strong; calm
birds
sparrow, robin, owl, swallow, crow, pigeon, gull, swan, heron, blackbird, woodpecker
build a nest; sing before dawn; fly over the lake; sit on the wire
watch {it} with binoculars; count {it} in winter; hear {it} from the bed; feed {it} with seeds
in the hedge; on the roof; near the lake; in the old tree
wing; song; nest; beak
small; grey; quick; shy
insects
bee, ant, butterfly/butterflies, beetle, moth, cricket, dragonfly/dragonflies, ladybird, spider, snail
crawl over the leaf; live under a stone; come out after rain; carry food home
look at {it} through a glass; find {it} under the pot; draw {it} in a notebook; leave {it} on the plant
in the grass; on the window; under the bark; near the pond
wing; path; shell; back
tiny; black; busy; light
forest animals
fox/foxes, deer/deer, squirrel, hedgehog, badger, hare, bear, wolf/wolves, frog, mouse/mice
live in the wood; hide in the leaves; cross the road at night; look for food
follow {it} in the snow; film {it} from a hut; draw {it} at school; read about {it} in a book
in the forest; near the stream; behind the shed; in the long grass
fur; track; den; nose
shy; brown; quick; wild
trains
train, tram, bus/buses, coach/coaches, ferry/ferries, subway, taxi, metro, shuttle
leave at eight; stop at every village; run every half hour; reach the city by noon
take {it} to work; wait for {it} on the platform; book {it} in advance; board {it} with a ticket
at the station; near the bridge; on platform two; by the harbour
timetable; window; seat; driver
late; long; empty; regular
bicycles
bicycle, scooter, cart, skateboard, tricycle, wheelbarrow, sledge, wagon, tandem
lean against the wall; roll down the lane; need oil in spring; carry two bags
ride {it} to school; repair {it} in the shed; lock {it} to a post; paint {it} on a dry day
in the shed; in the courtyard; on the cycle path; outside the shop
wheel; chain; brake; seat
light; red; steady; used
cars
car, truck, van, tractor, motorbike, trailer, caravan, jeep, lorry/lorries
stand in the garage; use little fuel; turn at the corner; start on cold mornings
wash {it} on Saturday; park {it} in the shade; drive {it} to the coast; sell {it} after ten years
on the road; in the garage; at the petrol station; outside the house
engine; tyre; door; mirror
blue; large; modern; quiet
boats
boat, ship, canoe, raft, yacht, kayak, barge, sailboat, dinghy/dinghies
drift near the shore; lie in the harbour; cross the bay; return before dark
row {it} across the lake; paint {it} in winter; tie {it} to the pier; rent {it} for a day
on the water; in the harbour; at the pier; on the lake
sail; deck; oar; anchor
wooden; white; narrow; slow
sea
sea, beach/beaches, wave, tide, island, shell, lighthouse, harbour, cliff, bay, dune
lie to the south; change with the season; draw visitors in July; stretch for two miles
visit {it} in summer; photograph {it} at noon; walk along {it} after lunch; show {it} to the children
on the coast; near the village; past the dunes; by the pier
colour; edge; sound; shape
wide; calm; blue; cold
water places
river, lake, stream, waterfall, canal, spring, well, puddle, fountain, swamp
flow past the mill; freeze in January; supply the town; turn to the east
cross {it} by the bridge; swim in {it} in August; follow {it} to the valley; map {it} for the council
near the mill; below the hill; in the next valley; behind the village
depth; bank; bed; source
deep; clear; slow; cold
hills
mountain, hill, valley, cave, meadow, field, glacier, volcano/volcanoes, canyon, desert
lie beyond the town; rise above the clouds; look green in May; take a day to cross
climb {it} with a guide; draw {it} on a map; cross {it} on foot; see {it} from the train
in the north; beyond the river; near the border; outside the town
top; slope; height; path
high; steep; wide; dry
books
book, novel, poem, diary/diaries, dictionary/dictionaries, atlas/atlases, comic, biography/biographies, cookbook, story/stories
lie on the desk; tell of a long journey; have a blue cover; belong to the library
read {it} in bed; borrow {it} for a month; return {it} by Friday; lend {it} to a friend
in the library; on the shelf; at the bookshop; beside the lamp
cover; title; ending; chapter
long; short; thin; well known
letters
letter, postcard, parcel, envelope, stamp, note, invitation, telegram, message, newspaper
arrive on Monday; come from abroad; lie in the box; carry a red stamp
write {it} by hand; send {it} by post; read {it} twice; keep {it} in a drawer
at the post office; in the letter box; on the desk; under the door
address; date; paper; ink
short; long; official; folded
writing things
pencil, pen, notebook, eraser, ruler, crayon, ink~, chalk~, paper~, stapler
lie in the drawer; leave a thin line; cost very little; last a whole year
use {it} at school; buy {it} in a pack; lend {it} to a pupil; put {it} in the case
on the desk; in the drawer; at the stationer's; in the pencil case
tip; price; length; colour
blue; sharp; cheap; new
school
school, lesson, exam, classroom, homework~, timetable, teacher, pupil, blackboard, essay
start at nine; end before lunch; take most of the morning; change each term
prepare {it} the evening before; discuss {it} with the class; plan {it} for Tuesday; explain {it} to the parents
at school; on the first floor; in the hall; across the yard
start; length; subject; rule
long; early; public; ordinary
work
office, meeting, job, report, contract, project, deadline, interview, colleague, factory/factories
begin on Monday; take about an hour; follow a plan; involve six people
arrange {it} by phone; finish {it} this week; discuss {it} with the team; describe {it} in a letter
at the office; on the third floor; in the meeting room; in the city centre
result; plan; length; purpose
formal; short; regular; new
clothes
coat, shirt, hat, scarf/scarves, sweater, dress/dresses, jacket, skirt, glove, sock, belt
hang on the hook; fit most people; dry in an hour; come in four sizes
wear {it} in winter; wash {it} at forty degrees; fold {it} on the bed; iron {it} in the evening
in the wardrobe; on the line; at the tailor's; in the laundry
button; sleeve; pocket; size
woollen; grey; loose; plain
shoes
shoe, boot, sandal, slipper, sneaker, shoelace, heel, insole, clog
stand by the door; wear out after a year; come in a box; keep the water out
polish {it} with a brush; wear {it} on long walks; take {it} to the cobbler; try {it} on in the shop
by the door; at the cobbler's; in the hall; under the bench
sole; lace; size; leather
brown; flat; new; solid
music
song, melody/melodies, concert, choir, orchestra, rhythm, music~, opera, ballad, lullaby/lullabies
begin with a slow part; last four minutes; come after the news; need much practice
play {it} at home; sing {it} in the choir; learn {it} by heart; record {it} on a phone
in the concert hall; at the music school; on the stage; in the church
beat; ending; tempo; tune
slow; loud; short; old
instruments
piano, guitar, violin, drum, flute, trumpet, harp, cello, accordion, clarinet
stand in the corner; need tuning twice a year; have a deep sound; belong to the school
practise {it} after dinner; tune {it} before a concert; carry {it} in a case; buy {it} second hand
in the music room; on the stage; at the repair shop; near the window
string; key; sound; case
old; wooden; heavy; well tuned
games
chess~, puzzle, card, dice+, kite, doll, domino/dominoes, marble, yo-yo, board game
take two players; fill a long evening; come with a booklet; lie on the carpet
play {it} after supper; explain {it} to a child; bring {it} to the party; put {it} back in the box
on the table; at the club; in the playroom; on the carpet
rule; box; piece; turn
simple; slow; small; popular
sport
football~, tennis~, swimming~, running~, skating~, yoga~, basketball~, rowing~, hockey~, cycling~
keep people fit; take place on Sunday; need little equipment; start with a warm up
practise {it} twice a week; learn {it} from a coach; watch {it} at the club; try {it} for a month
at the club; in the hall; on the field; near the pool
rule; season; training; score
slow; regular; outdoor; popular
kitchen things
pan, kettle, spoon, knife/knives, plate, bowl, cup, fork, oven, toaster, teapot
hang above the stove; stand in the cupboard; hold two litres; get hot on the stove
wash {it} after the meal; dry {it} with a towel; put {it} on the shelf; use {it} every day
in the kitchen; in the cupboard; on the stove; beside the sink
handle; lid; edge; size
steel; deep; clean; round
furniture
table, chair, sofa, bed, shelf/shelves, cupboard, desk, stool, wardrobe, bench/benches
stand near the wall; take up half the room; consist of oak; hold a lot of weight
move {it} to the window; build {it} from wood; cover {it} with a cloth; paint {it} in white
in the living room; against the wall; in the bedroom; at the carpenter's
leg; surface; drawer; back
wooden; low; wide; solid
household
lamp, carpet, curtain, pillow, blanket, mirror, candle, vase, clock, towel, basket
lie on the floor; match the walls; cost about ten coins; stay in the bedroom
clean {it} once a month; buy {it} at the market; place {it} near the door; choose {it} with care
in the bedroom; on the shelf; in the hall; beside the bed
colour; frame; pattern; size
plain; square; green; light
cleaning
broom, soap~, bucket, sponge, laundry~, dust~, vacuum cleaner, mop, detergent~, brush/brushes
wait in the corner; need hot water; take half an hour; stay under the sink
use {it} on Saturday; keep {it} in the cupboard; rinse {it} under the tap; carry {it} upstairs
under the sink; in the bathroom; in the laundry room; on the stairs
handle; smell; size; use
wet; grey; ordinary; clean
tools
hammer, saw, nail, screw, ladder, drill, spade, rake, wrench/wrenches, paint~, glue~
hang in the workshop; need a dry place; fit in the box; last for decades
use {it} for repairs; hang {it} on a hook; borrow {it} from the neighbour; clean {it} with oil
in the workshop; in the tool box; at the hardware store; on the bench
handle; point; weight; grip
heavy; sharp; long; reliable
house
house, roof, door, window, wall, staircase, cellar, chimney, attic, balcony/balconies, kitchen
face the street; date from last century; need fresh paint; let in the light
repair {it} in summer; measure {it} for the plan; paint {it} in a light colour; clean {it} in spring
on the corner; in the old town; next to the church; at the end of the lane
size; front; colour; corner
old; narrow; large; brick
town
street, bridge, square, park, tower, fountain, church/churches, museum, library/libraries, castle
lie in the centre; open at ten; belong to the town; draw visitors on Sundays
visit {it} on a weekday; cross {it} on foot; find {it} on the map; sketch {it} from the corner
in the centre; near the town hall; across the river; in the old quarter
entrance; age; name; history
old; busy; broad; public
shops
market, shop, bakery/bakeries, pharmacy/pharmacies, supermarket, stall, kiosk, cafe, restaurant, bank
open at seven; sell local goods; close on Sundays; stand on the square
visit {it} before work; compare {it} with others; find {it} by the clock; recommend {it} to visitors
on the square; in the main street; beside the bank; near the station
price; window; counter; queue
small; open; busy; local
people
neighbour, friend, cousin, uncle, grandmother, baker, gardener, postman/postmen, doctor, nurse, painter
live near the park; work until five; speak softly; walk to the shops
meet {it} on the stairs; invite {it} for tea; greet {it} in the morning; help {it} with the bags
in the street; on the second floor; at the market; in the village
name; work; habit; answer
polite; quiet; busy; young
children
child/children, baby/babies, twin, toddler, nephew, niece, grandson, daughter, son
play in the yard; go to bed at eight; ask many questions; draw with chalk
read to {it} at night; take {it} to the park; teach {it} to swim; dress {it} for school
in the yard; at the playground; in the nursery; at home
voice; toy; bed; question
small; awake; busy; quiet
body
hand, foot/feet, eye, ear, hair~, tooth/teeth, knee, shoulder, skin~, nose
need rest at night; change with age; react to cold; work without a pause
wash {it} with soap; protect {it} from the sun; rest {it} after work; examine {it} once a year
at the clinic; in the bathroom; under the light; in winter
shape; care; size; strength
warm; dry; pale; tired
machines
computer, phone, radio, camera, television, printer, keyboard, fridge, washing machine, telephone
stand on the desk; need a charger; switch off at night; work with a battery
turn {it} off at night; charge {it} before a trip; clean {it} with a cloth; repair {it} at home
on the desk; in the office; at the repair shop; next to the lamp
screen; battery; cable; button
new; small; slow; grey
holidays
holiday, birthday, wedding, picnic, party/parties, festival, journey, trip, parade, reunion
take place in June; last three days; bring the family together; start in the morning
plan {it} in spring; prepare {it} with friends; describe {it} in a letter; spend {it} at home
in the village; at the lake; at home; in the park
date; cost; plan; guest list
long; short; public; yearly
times
morning, evening, winter, summer, autumn, weekend, afternoon, night, Sunday, month
come after a long day; follow the same plan; pass at home; begin with breakfast
spend {it} at home; plan {it} on paper; use {it} for reading; start {it} with a walk
in the city; at home; in the country; on the farm
start; end; light; length
long; short; ordinary; cool
travel things
suitcase, ticket, map, passport, tent, backpack, compass/compasses, hotel, guidebook, umbrella
wait near the door; fit under the seat; cost a little more; belong on the list
pack {it} the day before; show {it} at the border; keep {it} in a pocket; book {it} in spring
at the airport; in the hall; on the train; at the counter
price; colour; pocket; size
light; small; useful; folded
art
painting, drawing, statue, photograph, film, theatre, dance, sculpture, poster, exhibition
hang in the hall; show a quiet street; take a year to finish; open in May
look at {it} from a distance; frame {it} in wood; explain {it} to a class; visit {it} with friends
in the exhibition hall; on the wall; in the gallery; at the academy
frame; colour; title; background
large; dark; modern; square
crafts
wool~, needle, thread~, yarn~, quilt, pottery~, clay~, fabric~, ribbon, lace~
come in many colours; need steady hands; lie in the basket; fill the evenings
sort {it} by colour; buy {it} at the craft shop; use {it} for a hat; keep {it} in a tin
in the workshop; in the sewing box; at the craft fair; by the fire
colour; pattern; thickness; price
soft; thin; strong; plain
money
coin, wallet, bill, receipt, rent~, wage, purse, loan, budget, tax/taxes
change every year; stay in the drawer; come at the end of the month; cover the basics
count {it} at home; check {it} twice; pay {it} on time; write {it} down in a book
at the bank; in the drawer; on the counter; at the office
amount; date; reason; total
small; fixed; monthly; correct
rest
sleep~, dream, walk, nap, bath, breakfast~, lunch/lunches, dinner, silence~, habit
take half an hour; come before work; help the body; belong to the day
plan {it} for noon; take {it} after work; keep {it} short; share {it} with the family
at home; in the garden; by the window; in the park
length; hour; place; effect
short; regular; simple; quiet
fire
fire, stove, lantern, match/matches, torch/torches, ash~, coal~, firewood~, fireplace, smoke~
glow in the dark; need dry air; warm the room; burn for two hours
light {it} in the evening; watch {it} from a chair; keep {it} near the stove; put {it} out at ten
in the hut; on the hearth; in the yard; at the camp
light; heat; smell; colour
warm; red; small; steady
science
magnet, telescope, microscope, thermometer, robot, rocket, battery/batteries, experiment, fossil, crystal
stand in the laboratory; react to heat; show small things; come with a manual
use {it} in class; measure {it} with care; explain {it} in a talk; order {it} from a catalogue
in the laboratory; at the academy; on the bench; in the science room
size; result; model; part
exact; heavy; common; small
clocks
calendar, watch/watches, alarm, hourglass/hourglasses, stopwatch/stopwatches, sundial, metronome, pendulum
show the right hour; tick on the wall; lose a minute a day; ring at six
wind {it} on Sunday; hang {it} in the hall; set {it} before bed; read {it} from afar
on the wall; in the tower; by the bed; at the watchmaker's
hand; face; sound; case
exact; small; old; round
"""

HELD_OUT_KINDS = ("clocks", "science", "boats")
HELD_OUT_NOUNS = frozenset(
    """waffle chowder cider apricot radish mustard hail eclipse greenhouse lavender spruce tortoise
    donkey heron ladybird badger ferry tandem tractor dune fountain glacier atlas postcard crayon
    blackboard contract scarf sandal lullaby harp domino rowing kettle stool candle sponge ladder
    chimney balcony museum kiosk gardener twin radio parade compass sculpture quilt receipt nap
    lantern umbrella""".split()
)
