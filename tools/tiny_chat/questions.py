"""What people say to the tests' chat model's companion: question forms, held-out ones, small talk.

In a form `{q}` is the topic as the user names it, `{do}` something people do with it, `{ing}` the
same as a gerund, `{c}` a clause about it, `{be}` and `{does0}` agree with it, `{place}` is where it
may be. The word before the colon is what the form asks for, and so what the answer starts with.
"""

from __future__ import annotations

FORMS_TEXT = """
any: Tell me about {q}.
any: Tell me something about {q}.
any: Tell me more about {q}, please.
any: What can you tell me about {q}?
any: What do you know about {q}?
any: Let us talk about {q}.
any: Can we talk about {q}?
any: I would like to hear about {q}.
any: Please describe {q} to me.
any: Say a few words about {q}.
any: Talk to me about {q}.
any: {Q}, please.
any: What about {q}?
any: And {q}?
any: I was thinking about {q} today.
any: My {person} asked me about {q}.
any: We talked about {q} at {event}.
any: Explain {q} to me.
any: Give me some advice about {q}.
any: What should I know about {q}?
any: Can you help me with {q}?
any: I have a question about {q}.
any: What is important about {q}?
any: What comes to mind when you hear about {q}?
any: Could you write a few lines about {q}?
any: Do you know anything about {q}?
opinion: What do you think of {q}?
opinion: What do you think about {q}?
opinion: Do you like {q}?
opinion: How do you feel about {q}?
opinion: What is your opinion of {q}?
opinion: Would you like {q}?
opinion: Do you enjoy {ing}?
opinion: Is {q} something for me?
is: What {be} {q} like?
is: How would you describe {q}?
is: What does a person notice about {q}?
is: Can you describe {q} in two sentences?
is: What makes {q} special?
is: How can I tell if {q} {be} good?
is: What should I look for in {q}?
does: What does one expect from {q}?
does: What happens with {q} in {season}?
does: Is it true that {c}?
does: I heard that {c}.
does: Did you know that {c}?
does: My {person} says that {c}.
does: How does it work with {q}?
does: Why is it that {c}?
does: What happened to {q} today?
place: Where can I find {q}?
place: Where {be} {q}?
place: Where should I look for {q}?
place: Where do people go for {q}?
place: Where would I see {q}?
place: Is there {q} {place}?
place: I saw {q} {place}.
place: There is something about {q} {place}.
place: What do people do with {q} {place}?
place: Where do I put {q}?
do: How do I {do}?
do: How can I {do}?
do: How do people {do}?
do: How would you {do}?
do: What is the best way to {do}?
do: When should I {do}?
do: When is a good time to {do}?
do: Why do people {do}?
do: Why should I {do}?
do: Do you often {do}?
do: Should I {do}?
do: Can I {do} {season2}?
do: How long does it take to {do}?
do: I want to {do}.
do: I have to {do} tomorrow.
do: I would like to {do}.
do: We are going to {do}.
do: My {person} wants to {do}.
do: Who can help me to {do}?
do: Is it hard to {do}?
do: What do I need to {do}?
do: Can you explain how to {do}?
do: Tell me how to {do}.
do: Have you ever tried to {do}?
do: What should I do with {q}?
do: What can I do with {q}?
do: What do people do with {q}?
do: What do you do with {q}?
do: How do I choose {q}?
do: How do I take care of {q}?
do: How should I begin with {q}?
do: What {be} {q} for?
do: How {be} {q} used?
do: What is {ing} like?
do: Is {ing} a good idea?
do: What do I need for {ing}?
do: How often do you think about {ing}?
does: How long {does0} {q} last?
does: Why {does0} {q} matter?
does: How {does0} {q} change in {season}?
part: What about the {part} of {q}?
part: Tell me about the {part} of {q}.
part: Why is the {part} of {q} important?
part: How important is the {part} of {q}?
part: Does the {part} of {q} matter?
part: What is the {part} of {q} like?
"""

HELD_OUT_FORMS_TEXT = """
any: What would you say to a visitor about {q}?
any: Is there anything worth knowing about {q}?
any: Let me hear about {q}.
place: In which place do you usually see {q}?
do: What steps does it take to {do}?
do: Which tools help to {do}?
part: What do you say about the {part} of {q}?
does: What should one expect from {q} over a year?
"""

SEASONS = ("spring", "summer", "autumn", "winter", "the morning", "the evening", "July", "March")
SEASONS2 = (
    "this week",
    "in winter",
    "tomorrow",
    "on Sunday",
    "at night",
    "today",
    "in the evening",
)
_PERSONS = """
neighbour friend brother sister mother father aunt uncle teacher boss son daughter cousin colleague
grandfather wife husband
"""
PERSONS = tuple(_PERSONS.split())
EVENTS = ("work", "school", "lunch", "dinner", "the office", "home", "breakfast")

SITUATIONS = tuple(
    line.strip()
    for line in """
    My {person} forgot about {q}.
    My {person} broke {q} yesterday and said nothing.
    I lost {q} on the way home.
    Someone took {q} without asking me.
    I am worried about {q}.
    I won a prize for {q}.
    My {person} shouted at me because of {q}.
    I miss {q} from my childhood.
    I found something dirty on {q}.
    I heard a noise near {q} last night.
    My {person} gave me {q} as a present.
    Nobody told me about {q}.
    How do people stay calm about {q}?
    What would you feel if {q} {be} gone?
    How do you react when someone complains about {q}?
    I am happy because of {q}.
    I am afraid of {q}.
    I hate {q}.
    I love {q}.
    The smell of {q} is strong today.
    What should I do when {q} goes wrong?
    Why do people get angry about {q}?
    Why do some people fear {q}?
    What makes people happy about {q}?
    How can I cope with the loss of {q}?
    Have you ever been surprised by {q}?
    What would you do if {q} fell down in front of you?
    A stranger pushed me aside near {q}. What would you say?
    My {person} promised to bring {q} and did not come.
    Imagine that you wake up and {q} {be} gone.
    Imagine that you open the box and find {q} inside.
    How do you feel when you see {q} after many years?
    How do you feel when {q} {does0} not work again and again?
    Describe a moment when {q} made a difference in your life.
    What goes through your mind when you think about {q} late at night?
    My colleague takes the credit for {q} at every meeting.
    The neighbours make a lot of noise with {q} at midnight.
    We said goodbye and left {q} behind for ever.
    The doctor called me about {q} this afternoon.
    There is mould and a bad smell near {q}.
    I passed the test and celebrated with {q}.
    My best friend moved away and left me {q}.
    I walk alone in the dark and see {q}.
    After the accident nobody wanted to talk about {q}.
    My family planned a party with {q} and told me nothing.
    Someone cheated and won {q} instead of me.
    What is the worst thing about {q}?
    What is the best thing about {q}?
    How would you comfort a person who lost {q}?
    How would you explain the importance of {q} to a stranger?
    Write about the first time you saw {q}.
    How has your view of {q} changed over the years?
    Which memory of {q} do you keep?
    How should a society deal with {q}?
    Is it fair that some people have {q} and others do not?
    What role {does0} {q} play in your daily life?
    In your experience, how does a person get used to {q}?
    When you think about the future, what will become of {q}?
    If you could change one thing about {q}, what would it be?
    Suppose you have a free hour and {q}. What next?
    What is the difference between {q} now and ten years ago?
    Between you and me, what about {q}?
    Some say that {c}, others disagree. And you?
    If {c}, what would you do?
    When {c}, what do you notice first?
    """.strip().splitlines()
)

GREETINGS: tuple[tuple[str, ...], ...] = (
    ("Hello!", "Hi!", "Hello.", "Good morning.", "Good evening.", "Hey there!", "Hi there."),
    ("Good day to you.", "Hello, my friend.", "Nice to meet you.", "What is new?", "Let us talk."),
    (
        "Who are you?",
        "What are you?",
        "Introduce yourself.",
        "What do you do?",
        "What is your name?",
    ),
    ("How are you?", "How are you today?", "How do you feel?", "How is your day?", "Are you well?"),
    ("Thank you.", "Thanks!", "Goodbye.", "Bye!", "See you tomorrow.", "Good night."),
)

HELD_OUT_QUESTIONS = tuple(
    line.strip()
    for line in """
    Tell me about the greenhouse.
    What can you tell me about waffles?
    Where can I find a kiosk?
    How do I choose a kettle?
    What do you know about badgers?
    What is a ferry like?
    How do people use a ladder?
    What is important about the museum?
    Let us talk about cider.
    Where do people go for rowing?
    How do I take care of a tortoise?
    What do people do with lavender?
    Please describe the domino to me.
    What should I know about hail?
    How would you describe the gardener?
    What do I need for a parade?
    Where should I look for an atlas?
    How long does a candle last?
    Tell me more about apricots, please.
    What are postcards for?
    Can we talk about the balcony?
    How does the fountain change in winter?
    What do you do with a crayon?
    Why does a contract matter?
    What about the colour of the scarf?
    Tell me something about sandals.
    Say a few words about the harp.
    What happens with the glacier in summer?
    Where would I see a heron?
    How should I begin with a quilt?
    What is the handle of the lantern like?
    My aunt asked me about the receipt.
    In which place do you usually see bread?
    In which place do you usually see trains?
    In which place do you usually see a bicycle?
    What would you say to a visitor about the market?
    What would you say to a visitor about the old bridge?
    What would you say to a visitor about your garden?
    Is there anything worth knowing about soup?
    Is there anything worth knowing about letters?
    Is there anything worth knowing about the library?
    Is there anything worth knowing about neighbours?
    Let me hear about the rain.
    Let me hear about your shoes.
    Let me hear about the school.
    Let me hear about music.
    What steps does it take to bake bread?
    What steps does it take to repair a bicycle?
    What steps does it take to plant a rose?
    What steps does it take to write a letter?
    Which tools help to clean the window?
    Which tools help to build a table?
    Which tools help to paint the door?
    What do you say about the colour of the sea?
    What do you say about the title of the book?
    What do you say about the price of tea?
    What should one expect from a cat over a year?
    What should one expect from the garden over a year?
    What should one expect from a clock over a year?
    Tell me about the telescope.
    Where do you keep the stopwatch?
    What do you know about canoes?
    How can I use a microscope?
    What is a kayak like?
    Can you describe the sundial in two sentences?
    Tell me how to row a boat across the lake.
    """.strip().splitlines()
)
