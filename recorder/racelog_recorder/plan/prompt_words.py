"""The words from which `racelog_recorder.plan.prompts` builds its prompts. Data only, written for this project.

Facts in the passages are plain schoolbook ones; questions have an answer that fits in a few sentences, so that a
small model has something to say too.
"""

TOPICS = (
    "why the sky is blue", "how a bicycle stays upright", "what makes bread rise", "how vaccines work",
    "why the seasons change", "how a refrigerator keeps food cold", "what inflation is", "how bees make honey",
    "why ice floats on water", "how a compass finds north", "what a black hole is", "how GPS knows where you are",
    "why leaves turn red in autumn", "how a piano makes its sound", "what photosynthesis does", "how tides come about",
    "why metal feels colder than wood", "how a search engine ranks pages", "what DNA stores",
    "how an aeroplane wing lifts", "why onions make people cry", "how a transistor switches", "what an interest rate is",
    "how earthquakes are measured", "why cats purr", "how a barcode is read", "what jet lag does to the body",
    "how paper is recycled", "why the sea is salty", "how a vote is counted fairly", "what a prime number is",
    "how coffee is decaffeinated", "why we dream", "how a submarine dives", "what causes a rainbow",
    "how noise-cancelling headphones work", "why bridges have expansion joints", "how glass is made",
    "what a compiler does", "how migrating birds find their way",
)  # fmt: skip

AUDIENCES = (
    "Explain to a ten-year-old {}.",
    "Explain {} in exactly three sentences.",
    "In one paragraph, explain {}. End with a common misunderstanding about it.",
    "Explain {} as a numbered list of steps, from cause to effect.",
    "A curious grandmother asks: {}? Answer her with one everyday comparison.",
)

CODE_TASKS = (
    "reverses the words of a sentence but keeps the punctuation at the end", "finds the two numbers in a list that add up to a target",
    "checks whether a string of brackets is balanced", "merges overlapping intervals",
    "counts how often each word occurs in a text", "turns a Roman numeral into an integer",
    "computes the Levenshtein distance of two words", "flattens an arbitrarily nested list",
    "validates an IPv4 address without regular expressions", "rotates a square matrix by ninety degrees in place",
    "keeps the k largest values of a stream", "parses a duration such as 1h30m into seconds",
    "groups anagrams together", "retries an operation with exponential backoff and jitter",
    "implements a least-recently-used cache", "splits a bill among friends so that the cents add up",
    "converts a CSV line with quoted fields into its values", "finds the longest run of equal elements",
    "generates all permutations of a short string", "rate-limits calls with a token bucket",
)  # fmt: skip

LANGUAGES = ("Python", "Rust", "Go", "JavaScript", "C", "Java", "SQL, if it can be done there, else Python")

PAIRS = (
    ("tea", "coffee"), ("a bicycle", "an electric scooter"), ("TCP", "UDP"), ("the Moon", "Mars"),
    ("a list", "a linked list"), ("renting", "buying a home"), ("a violin", "a viola"), ("wool", "cotton"),
    ("a lake", "an inland sea"), ("fermenting", "pickling"), ("a process", "a thread"), ("butter", "olive oil"),
    ("a comet", "an asteroid"), ("working alone", "working in a pair"), ("a novel", "a short story"),
    ("solar power", "wind power"), ("a frog", "a toad"), ("a mutex", "a semaphore"),
)  # fmt: skip

PASSAGES = (
    (
        "The lighthouse at the end of the pier was built in 1872, after two fishing boats were lost in the same storm. For "
        "its first forty years it burned oil, and a keeper climbed the ninety-one steps every four hours to wind the clockwork "
        "that turned the lens. Electricity came in 1913, an automatic lamp in 1968, and with it the last keeper left. Today the "
        "tower is a small museum. The lens still turns on summer evenings, mostly for the visitors, who like to be told that "
        "its light once reached twenty-two miles out to sea."
    ),
    (
        "Sourdough is bread raised by wild yeast and bacteria instead of packaged yeast. A baker keeps them alive in a starter, "
        "a mixture of flour and water that is fed once or twice a day. The yeast makes the gas that lifts the dough; the bacteria "
        "make the acids that give the bread its taste and keep it from going stale as quickly. Because wild yeast is slower, a "
        "loaf takes most of a day. Temperature matters more than the clock: a warm kitchen can halve the time, and a cold one "
        "can double it."
    ),
    (
        "Our support team answered 1,240 messages in March, up from 980 in February. Most of the growth came from questions "
        "about the new billing page, where customers could not find their old invoices. The median first answer took three "
        "hours, one hour more than the month before. On the 14th a link to past invoices was added at the top of the page, and "
        "billing questions fell by half within a week. We propose to keep two people on billing until the end of April and then "
        "to move one of them back to onboarding."
    ),
    (
        "A glacier is a river of ice. Snow that survives many summers is pressed by the snow above it until the air is "
        "squeezed out and it turns to ice. Under its own weight the ice begins to creep downhill, a few centimetres to a few "
        "metres a day. It carries rocks along, grinds valleys into a U shape, and leaves ridges of rubble, called moraines, where "
        "it ends. When a glacier loses more ice each year than it gains, its end moves uphill: the ice still flows down, but it "
        "melts before it gets as far as it used to."
    ),
    (
        "The village council met on Tuesday to decide about the old mill. Mrs Adeyemi wants to turn it into a library with a "
        "reading garden by the stream. Mr Lindqvist would rather sell it and repair the school roof with the money. The "
        "architect says that the mill needs a new floor whatever is done, and that it will cost about ninety thousand. A vote "
        "was put off until June, so that the school can find out whether the county will pay for half of the roof. Until then "
        "the mill stays closed, and the ducks have it to themselves."
    ),
    (
        "Caches make computers fast by keeping what was used lately close at hand. They work because programs repeat "
        "themselves: what was read a moment ago is likely to be read again, and so is what lies beside it. The hard part is "
        "deciding what to throw away when the cache is full. Dropping the entry that has been unused for longest is a good guess "
        "in most cases, but a single pass over a large file can push out everything useful. Many systems therefore let a new "
        "entry prove itself first: only what is asked for twice gets a lasting place."
    ),
    (
        "The octopus has three hearts, blue blood and most of its nerve cells in its arms. Two of the hearts pump blood through "
        "the gills and the third sends it round the body; that one stops while the animal swims, which may be why it prefers to "
        "crawl. Each arm can taste what it touches and can solve small problems by itself, such as how to reach into a shell. "
        "Octopuses open jars, carry coconut halves as shelters, and have been seen to leave their tank at night, eat a "
        "neighbour's fish and climb back."
    ),
    (
        "In 1854 a cholera outbreak killed more than five hundred people in a few streets of London within ten days. Most "
        "doctors blamed bad air. John Snow, a physician, went from door to door, asked where each family fetched its water, and "
        "marked the deaths on a map. They clustered round one pump in Broad Street. Workers at a brewery nearby, who drank beer, "
        "were spared; a widow miles away, who had the water brought to her because she liked its taste, was not. The handle of "
        "the pump was taken off, and the study of how diseases spread had one of its first great examples."
    ),
    (
        "Hello Priya, thank you for looking at the flat last week. The landlord has agreed to paint the bedroom and to replace "
        "the cooker, but not to lower the rent. You could move in on the 1st or on the 15th; if you choose the 1st, he asks for "
        "the deposit by Friday. Pets are fine as long as they are quiet. The neighbour downstairs teaches the trumpet on "
        "Wednesday afternoons, which I think you should know. Please tell me by tomorrow evening which date you would like, and "
        "whether you still want the parking space for forty a month. Best wishes, Tomasz"
    ),
    (
        "Before clocks were accurate, sailors could find how far north or south they were from the height of the sun, but not "
        "how far east or west. Ships ran onto rocks that their charts placed a hundred miles away. The answer was to carry the "
        "time of the home port along: each hour of difference from local noon is fifteen degrees of longitude. Pendulums fail on "
        "a rolling deck, so John Harrison, a carpenter, spent forty years building a clock that kept time at sea by other means. "
        "His fourth, no larger than a saucer, lost five seconds in eighty-one days."
    ),
)

PASSAGE_TASKS = (
    "Summarise the following text in one sentence.\n\n{}",
    "List the three most important facts of this text as bullet points.\n\n{}",
    "{}\n\nWrite two questions that this text answers, each with its answer.",
    "Rewrite this text for a reader of eight years. Keep every number.\n\n{}",
    (
        'Extract the names, places and numbers from this text as a JSON object with the keys "names", "places" and '
        '"numbers".\n\n{}'
    ),
)

HEROES = (
    "a lighthouse keeper who is afraid of the dark", "a robot that collects lost umbrellas",
    "a cartographer whose maps come true", "a retired clown who repairs watches", "a librarian who has never finished a book",
    "twins who can only lie to each other",
)  # fmt: skip

PLACES = (
    "on the last train of the year", "in a town where it rains upwards", "at the bottom of a dry well",
    "in the queue of a passport office", "on a ferry that never docks",
)  # fmt: skip

STORY_FORMS = (
    "Write a short story of about 150 words about {} {}.",
    "Write the opening paragraph of a novel about {} {}.",
    "Write a poem of three verses about {} {}.",
)

ADVICE = (
    "Plan three dinners for two people, without meat, that use one cauliflower.", "How do I tell a colleague that a meeting is not needed?",
    "Suggest five names for a small bakery next to a railway station.", "Write a polite message to a neighbour about loud music after eleven.",
    "Make a packing list for four days of hiking in cold rain.", "How should I prepare for a first visit to the dentist with a child of four?",
    "Give me a weekly plan to learn twenty chords on the guitar in a month.", "Write a product description for a mug that cannot be knocked over.",
    "What should a beginner check before buying a used bicycle?", "Draft a short speech for a friend's fortieth birthday; she collects maps.",
    "My tomato leaves turn yellow from the bottom. What are the likely causes?", "Write a haiku about a slow computer.",
    "How can I fall asleep more easily without medicine?", "Suggest a card game for three people with a normal deck and explain it.",
    "Write an apology from an airline for a lost cello.", "What can I cook with rice, eggs, a leek and half a lemon?",
    "How do I decide between two job offers that pay the same?", "List ten words that rhyme with 'light' and use four of them in a couplet.",
    "Write release notes for version 2.0 of an alarm clock.", "How do I get candle wax out of a tablecloth?",
)  # fmt: skip

SENTENCES = (
    "The train to the coast leaves from platform nine in twenty minutes.", "Could you tell me where the nearest pharmacy is, please?",
    "She had been waiting for the letter since the beginning of spring.", "If it rains tomorrow, the concert will be held in the old church.",
    "Nobody expected the smallest dog to win the race.", "We would like a quiet room with a view of the garden.",
    "The more he explained, the less I understood.", "Please keep this door closed because of the cats.",
)  # fmt: skip

TARGETS = ("French", "German", "Spanish")

CHATS = (
    ("You are a patient chess coach.", "I always lose my queen early.", "That is common. Tell me about your last game: how did it happen?", "I moved her out on move three to take a pawn."),
    ("You answer in at most two sentences.", "What is a good first programming language?", "Python: it reads almost like English and is used everywhere.", "And if I want to make games for phones?"),
    ("You are a travel agent for places without cars.", "Where can I go for a quiet week?", "Have you thought of an island? Do you prefer warm or cool weather?", "Cool, and with good soup."),
    ("You are a museum guide who loves small details.", "Why are so many old portraits so dark?", "Partly the varnish, which yellows, and partly candlelight and soot.", "Can that be undone without harming the paint?"),
    ("You are a careful editor. Correct, then explain in one line.", "Me and him goes to the market every friday.", "He and I go to the market every Friday. (Subject forms, verb agreement, capital letter.)", "Their is less apples then last week."),
    ("You are an experienced site reliability engineer.", "Our latency doubled after the last deploy.", "Which percentile, and did the error rate or the traffic change too?", "The p99 only. Traffic and errors are the same, and we raised the connection pool from 20 to 200."),
    ("You are a gardener who speaks plainly.", "What can I plant in a shady corner?", "Ferns, hostas, and lily of the valley. Is the soil wet or dry?", "Dry, and there is a big maple above it."),
    ("You are a mathematics tutor who never gives the answer away at once.", "How many diagonals does a hexagon have?", "How many can you draw from one corner?", "Three, I think. So is it six times three?"),
)  # fmt: skip
