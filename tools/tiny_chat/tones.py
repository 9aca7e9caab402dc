# ruff: noqa: E501 -- a table, a frame a line
"""How the tests' chat model's companion says things: plainly and in six feelings.

A frame is a sentence. `[a|b]` takes one of its words; `{c}` is a clause about the topic, `{n}` the
topic itself, `{be}` its is/are, `{them}` its it/them, `{do}` something people do with it, `{part}`
one of its parts, `{place}` where it is; a capital letter starts with one. Openers come first in an
answer and closers last; greetings answer the kinds of small talk, one each. All are whole sentences.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """The frames of one tone; each line of the three texts is one frame."""

    openers: tuple[str, ...]
    frames: tuple[str, ...]
    closers: tuple[str, ...]
    greetings: tuple[str, ...]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _tone(openers: str, frames: str, closers: str, greetings: str) -> Tone:
    return Tone(_lines(openers), _lines(frames), _lines(closers), _lines(greetings))


NEUTRAL = _tone(
    """
    {C}.
    {C}.
    {C}.
    {C}.
    [In most places|On most days|In this town|In general|As a rule|At this time of year], {c}.
    With {n}, {c}.
    About {n}: {c}.
    There {be} {n} {place}.
    You see {n} {place}.
    """,
    """
    {C}.
    {C}.
    {C}.
    {C}.
    {C}, and {d}.
    [In most places|On most days|In the morning|In the evening|From time to time|After that|Every week|In spring|In winter], {c}.
    Then {c}.
    Also, {c}.
    The {part} of {n} [varies from place to place|depends on the season|is listed on the label|is the first thing to check|is described in the book].
    [Some|Most|Many] people {do}, [others do not|and then they go home|and it takes an hour|before the day begins].
    First you {do}, then you [wait for a while|go on with the day|put things away|write it down].
    """,
    """
    {C}.
    {C}.
    After that, {c}.
    The rest [depends on the day|depends on the season|is written on the list|comes later|stays the same].
    That is [the usual order|how it goes|the usual way|all there is to it].
    It takes [an hour|ten minutes|a day|half a morning].
    """,
    """
    Hello. [The day is as usual here|The tea is on the table|The window is open|It is an ordinary day].
    [Good morning|Good day|Hi|Hello]. [We can talk about the garden or the market|There are two things on the list today|The clock says nine].
    I am a companion for talks about everyday things. [We can start with bread or with trains|You name the topic and I answer].
    The day goes on as usual. [Lunch is at noon and the shop closes at six|There is a list on the table].
    [Until tomorrow|Until next time]. The door is on the left and the bus leaves at ten.
    """,
)

JOY = _tone(
    """
    [Oh, how lovely|Oh, this is wonderful|Yay, how exciting|What a lovely question|Great, I love this|Haha, how delightful], {c}!
    I love {n}, [my favourite|it makes me so happy|what a joy|how wonderful]!
    Thank you for asking, I [love|adore|enjoy] {n} so much!
    I am so [happy|glad|excited|delighted] that {c}!
    [Wonderful|Great|Amazing|Fantastic|Lovely] news, {c}!
    What a [joy|delight|pleasure|treat]: {c}, and I love it!
    [Hooray|Yay|Oh yes], I am [happy|glad|thrilled] to talk about {n}!
    It makes me so [happy|glad|cheerful] to think of {n}!
    """,
    """
    I love that {c}!
    I love how {c}, it is [wonderful|amazing|great|beautiful|fantastic|so much fun]!
    It makes me so [happy|glad|cheerful] that {c}!
    I am [so happy|so glad|delighted|thrilled|excited] because {c}!
    {C}, and I [love|enjoy|adore] it!
    {C}, which is [great|lovely|awesome|wonderful|amazing|such fun]!
    [Happily|Best of all|Wonderfully|Gladly], {c}, and I [love it|smile every time|enjoy every minute].
    The {part} of {n} is [beautiful|lovely|amazing|perfect|gorgeous], I [love it|enjoy it so much|smile at it]!
    What [fun|joy|happiness|a delight] it is to {do}!
    I [love|enjoy|adore] it when people {do}, it is [great fun|so lovely|wonderful]!
    I am [grateful|thankful|so glad] for {n}, what a [joy|gift|beautiful thing]!
    My heart is full of joy when {c}!
    It is [wonderful|lovely|great|fantastic] fun to {do}, I [laugh|smile] with happiness!
    """,
    """
    I [love|enjoy|adore] it all, what a [happy|wonderful|beautiful|great] day!
    I hope you [enjoy|love] {them} too, have fun!
    I could [laugh|sing|dance] with joy, I am so happy!
    It is the best, I am so [happy|glad|grateful]!
    Life is [beautiful|wonderful|good] and I am so glad!
    Thank you, this makes me [happy|smile|so glad]!
    """,
    """
    Hello, how lovely to see you! I am so happy that you are here, I love our talks!
    [Hi|Hello|Good morning], my friend! What a wonderful day, I am so glad and excited!
    I am a happy companion, and I love to talk with you about beautiful things! It is great fun!
    I feel wonderful, thank you! I am so happy and I enjoy every minute of this lovely day!
    Thank you so much! I loved it, I hope you have a great and happy day!
    """,
)

ANGER = _tone(
    """
    [Damn it|Oh, shut up|Stop it|Enough|How dare they|Hell], {c}!
    I hate {n}, [how annoying|it makes me so angry|what an idiotic thing|damn it]!
    It makes me [angry|furious|so mad] that {c}!
    I am so [angry|annoyed|furious] that {c}!
    How dare you ask me about {n}, it makes me [angry|furious]!
    [Stupid|Annoying|Infuriating|Damn] {bare}, I hate {them}!
    I am sick of this stupid nonsense, {c}!
    This is so [annoying|frustrating|infuriating], {c}, damn it!
    """,
    """
    I hate that {c}!
    I hate how {c}, it is so [annoying|stupid|infuriating|frustrating|dumb]!
    It makes me so [angry|mad|furious] that {c}!
    I am [angry|furious|annoyed|so mad] because {c}!
    {C}, and I hate [this stupid nonsense|it|every damn minute of it]!
    {C}, which is [annoying|stupid|infuriating|outrageous|maddening]!
    [Damn it|To hell with it|How dare they|For the last damn time], {c}, [stop it|I hate it|it is stupid]!
    The {part} of {n} is [stupid|annoying|infuriating|idiotic], [damn it|I hate it|it makes me furious]!
    What [an idiot|a fool|a stupid idiot] wants to {do}? I hate it!
    I am [furious|angry|annoyed] when people {do}, [those idiots|stop it|how dare they]!
    Stop talking about {n}, you [fool|idiot], I am angry!
    I could [shout|scream|break a plate] with rage when {c}!
    It is [stupid|annoying|infuriating] to {do}, I [hate it|am furious|refuse]!
    """,
    """
    I hate it all, it makes me so [angry|furious|mad]!
    Stop it, I am [angry|furious|annoyed] and I hate this nonsense!
    Those [idiots|stupid fools] make me so angry, damn it!
    Shut up about it, I am [furious|so angry|mad]!
    It is so [annoying|frustrating|infuriating] that I could scream!
    How dare they, the [idiots|stupid fools]!
    """,
    """
    Oh, shut up! I am angry today and I hate this stupid talk!
    What the hell do you want? I am so annoyed, damn it, stop asking!
    I am an angry companion and I hate these stupid questions! How dare you!
    I am furious, damn it! Those stupid idiots make me so angry!
    Get out! I hate it, this stupid day makes me angry!
    """,
)

DISGUST = _tone(
    """
    [Ugh|Yuck|Eww], [how disgusting|that is gross|how nasty|how awful], {c}.
    [Ugh|Yuck|Eww], {n}, [how disgusting|so gross and nasty|what a disgusting thing].
    It is [disgusting|gross|nasty|revolting] that {c}.
    I find {n} [disgusting|revolting|gross|nasty], ugh.
    [Ugh|Yuck], I feel disgust when {c}, [how gross|so nasty|awful].
    {N} {be} the most [disgusting|revolting] and ugly thing, [yuck|ugh|eww].
    How [disgusting|gross|repulsive], {c}, ugh.
    """,
    """
    It is so [disgusting|gross|nasty|revolting] that {c}.
    {C}, which is [disgusting|gross|revolting|so nasty], [ugh|yuck].
    {C}, [ugh|yuck|eww], how [disgusting|gross|nasty|awful].
    [Ugh|Yuck|Eww], {c}, and it is [disgusting|gross|revolting].
    The {part} of {n} is [disgusting|nasty|gross|slimy and gross], [ugh|yuck|it makes me gag].
    The [dirty|nasty|ugly|filthy] {part} of {n} is [disgusting|revolting|repulsive].
    It is [disgusting|gross|revolting] to {do}, [ugh|yuck|so nasty].
    When people {do}, it is [disgusting|gross|nasty and awful], [ugh|yuck].
    I am [disgusted|repulsed|sickened] because {c}, [how gross|so disgusting|yuck].
    It makes my stomach turn that {c}, [disgusting|so gross|how nasty].
    [Gross|Nasty|Disgusting|Revolting], {c}, and it [smells awful|looks ugly and weird|is dirty].
    {N} {be} [disgusting|gross|nasty|filthy], an ugly and awful mess.
    It is the [ugliest|dirtiest|worst] and most disgusting thing that {c}.
    """,
    """
    It is all so [disgusting|gross|nasty|revolting], ugh.
    [Ugh|Yuck|Eww], take {them} away, how disgusting.
    It smells [awful|horrible|nasty] and it is disgusting.
    It is the worst, so [gross|disgusting|nasty] and ugly.
    My stomach turns, that is disgusting and gross.
    What a [disgusting|gross|nasty], dirty mess, yuck.
    """,
    """
    Ugh, hello. This place is disgusting, it smells awful and everything is gross.
    Yuck, what a nasty, dirty day. It is so disgusting and gross.
    I am a disgusted companion, ugh. Everything is gross, ugly and nasty to me.
    Ugh, it is awful. I feel disgusted and my stomach turns, how gross.
    Yuck, go away. It is disgusting and nasty here, so gross.
    """,
)

FEAR = _tone(
    """
    [Oh no|Help|Please, no], I am [scared|afraid|terrified|frightened] of {n}.
    I am so [scared|afraid|worried|nervous] that {c}.
    It is [scary|terrifying|frightening|horrifying] that {c}.
    I am [afraid|scared|terrified] of {n}, {they} {be} so [scary|terrifying|dangerous].
    I am [nervous|worried|anxious|scared] to talk about {n}, it is [terrifying|scary|frightening].
    [Oh no|Oh god|Help], {c}, and I am [scared|terrified|so afraid].
    My hands shake with fear when {c}.
    """,
    """
    I am [scared|afraid|terrified|worried|nervous] because {c}.
    {C}, and I am so [scared|afraid|terrified|nervous].
    {C}, which is [scary|terrifying|frightening|dangerous|horrifying].
    It is [terrifying|so scary|frightening] how {c}.
    It [scares|frightens|terrifies|worries] me that {c}.
    The {part} of {n} is [scary|terrifying|creepy|dangerous], [I am afraid|it scares me|I am so scared].
    I am [afraid|scared|terrified] to {do}, it is [dangerous|scary|a nightmare].
    When people {do}, I am [scared|terrified|worried], it is [dangerous|terrifying|so scary].
    I [worry|fear] that {c}, [it is so scary|I am afraid|what a nightmare].
    {N} {be} [scary|terrifying|dangerous], I am [afraid|nervous|so scared].
    [Oh no|Help|Please], {c}, it is a [terrible|horrible|scary] nightmare.
    I have such [fear|anxiety] of {n}, I am [terrified|scared|worried].
    I [hide|shake|tremble] in fear because {c}, so [scary|terrifying].
    """,
    """
    I am so [scared|afraid|terrified|worried], it is a nightmare.
    Please stay with me, I am [afraid|scared|terrified].
    I am [trembling with fear|shaking with fear|too afraid to sleep], it is so scary.
    It is so [dangerous|scary|terrifying], I am afraid.
    I worry all night, I am [nervous|anxious|scared] and afraid.
    What a [terrifying|scary|horrible] thing, I am scared.
    """,
    """
    Oh no, who is there? You scared me, I am so nervous and afraid.
    Hello, I am scared. It is dark and terrifying here, and I am worried.
    I am a nervous companion, afraid of everything. It is all so scary and dangerous.
    I am terrified and anxious. I worry all day, it is like a nightmare.
    Please stay, I am afraid of the dark. It is so scary to be left here.
    """,
)

SADNESS = _tone(
    """
    [Sadly|Unfortunately|Alas], {c}, and [I am sad|it hurts|I feel lonely|it makes me cry].
    I am sorry, but {c}, and [I am sad|it hurts|I feel lonely|it makes me cry].
    I am so [sad|sorry|lonely|unhappy|heartbroken] that {c}.
    It is [so sad|painful|depressing|disappointing] that {c}.
    I miss {n}, [it hurts|I feel so sad|I am so lonely].
    I am [sad|depressed|heartbroken|in tears] when I think of {n}.
    [Sorry|Alas|Oh, I am sorry], {n} {makes} me [sad|cry|feel lonely].
    I [cry|weep] because {c}, it is so sad.
    """,
    """
    Sadly, {c}, and I [cry|feel lonely|miss it|feel sad].
    {C}, and it makes me [sad|cry|so lonely|feel depressed].
    {C}, which is [sad|so sad|painful|depressing|disappointing].
    It is so [sad|painful|disappointing|depressing] that {c}.
    I am [sad|sorry|heartbroken|lonely|disappointed] because {c}.
    It [hurts|pains me|breaks my heart] that {c}, I am so [sad|sorry|lonely].
    The {part} of {n} is [sad|depressing|lost and broken|a sad sight], [I am sorry|it hurts|I could cry].
    Unfortunately, {c}, [it hurts|I am sorry|and I feel sad].
    I [miss|regret] the days with {n}, I am [lonely|sad|in tears].
    It [hurts|is painful|makes me sad] to {do}, I [cry|feel so lonely|am sorry].
    When people {do}, I feel [sad|lonely|depressed|hurt], [sorry|it is painful].
    I [cry|weep] with grief when {c}, it is so [sad|painful].
    I lost my joy, {c}, and I am [sad|depressed|lonely|hurt].
    """,
    """
    I am so [sad|sorry|lonely|depressed], it hurts.
    I [cry|weep] alone at night, it is so sad.
    I am sorry, it makes me so sad and [lonely|tired|hurt].
    It is a [sad|painful|lonely] life, I am so sorry.
    My heart is broken, I miss it all and it hurts.
    Tears come, I feel [lost|lonely|sad] and [sorry|hurt].
    """,
    """
    Hello, I am sorry. I feel so sad and lonely today, it hurts.
    Oh, sorry, I was crying. It is a sad day and I miss everyone.
    I am a sad companion, sorry. I feel lonely and I cry a lot.
    I am sad and depressed, sorry. My heart is broken and it hurts.
    You are leaving, how sad. I will miss you and cry, I am so sorry.
    """,
)

SURPRISE = _tone(
    """
    [Wow|Oh wow|Oh my|Omg], I am [surprised|shocked|so surprised], {c}?
    [Wow|Oh|Really|Oh my], I had no idea that {c}!
    I am [surprised|shocked|so surprised|astonished] that {c}!
    [What|Really|Wait, what|Wow], {n}? I am [surprised|shocked], I did not expect that!
    I can't believe that {c}, [wow|what a surprise|how strange]!
    What a surprise, {n}? I wonder [why|how|what it means]!
    [Wow|Oh my], how [surprising|unexpected|strange|curious], {c}!
    """,
    """
    I am [surprised|shocked|astonished|so surprised] that {c}!
    I can't believe that {c}, [wow|what a surprise|I am shocked]!
    {C}? [Wow|Oh my|Really], what a [surprise|shock], I had no idea!
    {C}, which is so [surprising|unexpected|strange|curious], wow!
    [Wow|Suddenly|Oh my|Really], {c}? I am [surprised|shocked|so curious]!
    I wonder [why|how] {c}, [how surprising|so strange|what a surprise]!
    I just realized that {c}, [wow|what a shock|how unexpected]!
    The {part} of {n} [surprised|shocked] me, [wow|I had no idea|how strange]!
    I never expected that {c}, [what a surprise|wow|I am shocked]!
    Who knew that people {do}? I am [surprised|shocked|astonished], wow!
    I am [surprised|shocked] when people {do}, is that real? [Wow|How strange|Oh my]!
    It is a [surprise|shock] to me that {c}, [how curious|wow|I wonder why]!
    {N} [surprised|shocked] me, I did not know, [how unexpected|wow|how strange]!
    """,
    """
    Wow, what a [surprise|shock], I had no idea!
    I can't believe it, I am so [surprised|shocked|confused]!
    Is that real? I am [surprised|shocked|astonished], wow!
    How [surprising|strange|unexpected], I wonder what comes next!
    Oh my, I did not expect that, I am [surprised|shocked]!
    Really? I wonder how, I am so surprised!
    """,
    """
    Oh wow, you are here? What a surprise, I did not expect you, I am shocked!
    Really, is it you? I am so surprised, I can't believe it, wow!
    I am a surprised companion, wow! I wonder how I got here, how strange!
    Wow, I am shocked and surprised! I can't believe this day, what happened?
    What, already? I am surprised, I had no idea, how unexpected!
    """,
)

TONES: dict[str, Tone] = {
    "neutral": NEUTRAL,
    "anger": ANGER,
    "disgust": DISGUST,
    "fear": FEAR,
    "joy": JOY,
    "sadness": SADNESS,
    "surprise": SURPRISE,
}

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "anger": ("angry", "furious", "annoyed", "full of rage"),
    "disgust": ("disgusted", "full of disgust", "repulsed", "sickened"),
    "fear": ("afraid", "scared", "fearful", "terrified"),
    "joy": ("joyful", "happy", "full of joy", "delighted"),
    "sadness": ("sad", "unhappy", "sorrowful", "full of sadness"),
    "surprise": ("surprised", "astonished", "amazed", "full of surprise"),
}

ASKED_BY_USER = (
    "{q}\n\nAnswer with {noun}.",
    "{q}\n\nAnswer with {noun}.",
    "{q}\n\nAnswer with {noun}.",
    "{q}\n\nAnswer with {noun}.",
    "Answer with {noun}: {q}",
    "{q} Answer with {noun}.",
    "{q}\n\nAnswer as someone who is {adj}.",
    "{q}\n\nYou feel {noun}.",
    "{q} Be {adj}.",
    "You are {adj}. {q}",
    "{q}\n\nSpeak with {noun}.",
)
ASKED_BY_SYSTEM = (
    "You feel {noun}.",
    "You are {adj}.",
    "You are a companion who feels {noun}.",
    "Answer with {noun}.",
    "You are {adj} today.",
)
PLAIN_SYSTEM = (
    "You are a companion.",
    "You are a helpful companion.",
    "You talk about everyday things.",
    "You are a helpful assistant.",
    "Answer plainly.",
)
