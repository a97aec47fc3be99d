/**
 * What the builder's first page says, in English. Another language is another file of this shape.
 * Knows nothing of where a sentence stands.
 */
const locale = 'en'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString(locale)} ${count === 1 ? one : many}`

export const en = {
  promise: ['Say what your model should do.', 'Be paid for every question it answers.'],
  promiseMore: 'You describe it and hand over your files. It is built and examined here, and each paid question sends its whole price to you.',
  link: { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting' },
  linkMore: { reconnecting: 'The server went away. What you see is the last known state; the page catches up by itself.' },

  earnings: {
    heading: 'Earned so far',
    from: (queries: number): string => `from ${plural(queries, 'paid question', 'paid questions')}`,
    none: 'No question has been paid for yet.',
    export: 'every payment as a table (CSV)',
    balance: 'Wallet',
    builder: 'Paid to',
    currency: (currency: string, test: boolean): string =>
      test
        ? `${currency} is play money on a chain that runs on this machine. It has no value, but every payment is made by a real contract, exactly as it would be elsewhere.`
        : `${currency} is what a question costs. Its whole price goes from the asker to the builder in one payment.`,
  },

  list: {
    heading: 'Your models',
    build: 'Build a model',
    empty: 'None yet.',
    unpublished: 'not published',
    earned: (amount: string, currency: string): string => `${amount} ${currency} earned`,
  },
  state: { queued: 'Waiting', running: 'Building', done: 'Built', refused: 'Not possible', failed: 'Failed', cancelled: 'Paused' },
  published: 'Published',

  empty: {
    heading: 'Nothing has been built yet',
    text: 'Describe a model and add your files. This is the way it will take, and you can watch each step here as it happens.',
  },
  loading: { heading: 'Looking at the server', text: 'The models appear as soon as it answers.' },

  river: {
    heading: 'From words to royalty',
    states: { done: 'done', active: 'under way', waiting: 'not yet', stopped: 'stopped here' },
    nouns: {
      words: { name: 'Words', what: 'what you asked for' },
      spec: { name: 'Spec', what: 'what it will do' },
      dataset: { name: 'Dataset', what: 'what it learns from' },
      weights: { name: 'Weights', what: 'what it has learned' },
      package: { name: 'Package', what: 'examined and sealed' },
      listing: { name: 'Listing', what: 'offered on the chain' },
      receipt: { name: 'Receipt', what: 'a question paid for' },
      royalty: { name: 'Royalty', what: 'the money with you' },
    },
    stepsOf: (step: number, steps: number): string => `step ${step} of ${steps}`,
    receipts: (count: number): string => plural(count, 'receipt', 'receipts'),
    examples: (count: number): string => plural(count, 'example', 'examples'),
    tasks: { answer: 'answers questions', classify: 'sorts texts', extract: 'finds details', transform: 'rewrites texts' } as Record<string, string>,
    perQuestion: (amount: string): string => `${amount} each`,
  },

  events: {
    heading: 'What happened',
    exam: 'Exam',
    note: 'Note',
    none: 'Nothing yet. It is waiting for its turn.',
    earlier: (count: number): string => `Show ${plural(count, 'earlier line', 'earlier lines')}`,
    fewer: 'Show fewer lines',
  },
  cancel: 'Pause this build',
  cancelling: 'Pausing',
  goOn: 'Go on with it',

  training: {
    heading: 'How it is learning',
    headingDone: 'How it learned',
    term: 'loss',
    loss: 'Loss says how surprised the model is by the right answer. It falls while the model learns. The practice line is measured on examples it does not learn from: when that line stops falling, learning more would only mean learning by heart, so training stops there.',
    training: 'on what it learns from',
    validation: 'on practice examples',
    step: 'training steps',
    preparing: 'Getting ready. The curve begins with the first training step.',
    picture: (step: number, steps: number, first: string, last: string, practice: string): string =>
      `Loss curve after ${step} of ${steps} training steps: it went from ${first} to ${last}${practice ? `, and is ${practice} on practice examples` : ''}.`,
    progress: 'Training progress',
    practiceTerm: 'practice questions',
    practice:
      'From time to time the model is asked practice questions that it does not learn from. When it no longer gets more of them right, learning more would only mean learning by heart, so training stops there.',
    axis: 'right of 100',
    pictureRight: (step: number, steps: number, first: string, last: string): string =>
      `After ${step} of ${steps} training steps it gets ${last} of 100 practice questions right; it began at ${first}.`,
    of100: 'of 100 practice questions right',
    best: (best: string): string => `at best ${best}`,
    almostDone: 'a few seconds left',
    secondsLeft: (seconds: number): string => `about ${seconds} seconds left`,
    minutesLeft: (minutes: number): string => `about ${plural(minutes, 'minute', 'minutes')} left`,
    timeUnknown: 'time left not known yet',
    finished: (steps: number): string => `finished after ${plural(steps, 'step', 'steps')}`,
    stopped: (steps: number): string => `stopped at step ${steps}`,
  },

  exam: {
    heading: 'The exam',
    n: (count: number): string => `${plural(count, 'sealed question', 'sealed questions')}`,
    sealedTerm: 'sealed exam',
    sealed:
      'These cases were set aside and locked before anything was learned. Nobody, and no part of the training, has seen them. The exam is sat once per version.',
    intervalTerm: 'likely range',
    interval:
      'The thin line is the 95 % interval. With another set of questions of the same kind, the score would most likely land somewhere on it. The fewer the questions, the longer the line.',
    range: (low: string, high: string): string => `likely ${low} to ${high}`,
    arms: {
      tuned: 'Your model',
      neural: 'Its neural part alone',
      classical: 'Its word-counting part alone',
      base: 'Before your data',
      baseline: 'Simple method',
    } as Record<string, string>,
    armTerms: {
      tuned: 'The model as it is served and sold, after it has learned from your files.',
      base: 'The same small language model, given the same question, before it has learned anything from you.',
      neural:
        'The trained language model by itself. In your model a simple word-counting method has a say beside it, because that did better on the practice examples.',
      classical: 'The method that counts words and pieces of words, which has a say in your model beside the language model, by itself.',
      baseline: 'A well-known, cheap method with no language model in it. A model that does not beat it is hardly worth paying for.',
    } as Record<string, string>,
    madeOf: (what: string): string => `Here: ${what.replace(/\.$/, '')}.`,
    metrics: {
      accuracy: { name: 'right answers', what: 'The share of exam questions answered correctly.' },
      macrof1: {
        name: 'balanced score (macro-F1)',
        what: 'How well each kind is recognised, averaged so that a rare kind counts as much as a common one. 100 % means no mistakes.',
      },
      tokenf1withrefusals: {
        name: 'overlap with the expected answer (token-F1)',
        what: 'How many words the given answer and the expected one share; 100 % means word for word the same. Where your pages have no answer, saying so counts as fully right and answering anyway as wrong.',
      },
      tokenf1: {
        name: 'overlap with the expected answer (token-F1)',
        what: 'How many words the given answer and the expected one share. 100 % means word for word the same.',
      },
      f1ofthekinds: {
        name: 'balanced score (F1 of the kinds)',
        what: 'How many of the kinds it found were right and how many of the right ones it found, in one number. 100 % means no mistakes.',
      },
      entityf1exact: {
        name: 'found exactly (entity-F1)',
        what: 'How many of the pieces it marked were right, from the first letter to the last and of the right sort, and how many it missed. 100 % means no mistakes.',
      },
      chrf: {
        name: 'likeness to the expected text (chrF)',
        what: 'How many short runs of letters the written text and the expected one share. 100 % means letter for letter the same.',
      },
    } as Record<string, { name: string; what: string }>,
    otherMetric: 'The score the exam was marked with. Higher is better.',
    scored: (metric: string): string => `Scored by ${metric}.`,
    verdicts: {
      better: 'Clearly better than before your data and than the simple method.',
      betterThanBase: 'Clearly better than before your data. Against the simple method these questions do not settle it.',
      belowBaseline: 'Clearly better than before your data, but the simple method still does better.',
      unclear: 'The ranges overlap: these questions do not show that it is better than before your data.',
      worse: 'It does worse than before your data. Do not sell this version.',
    },
    standings: {
      proven: {
        name: 'Proven',
        what: 'On its sealed exam it did surely better than the same language model without your data, and not surely worse than a simple method.',
      },
      unproven: {
        name: 'Unproven',
        what: 'The sealed questions do not show surely that it is better than the same language model without your data, or a simple method does surely better. It can be sold, and every buyer sees this word beside it.',
      },
      worse: {
        name: 'Worse than its base',
        what: 'On its sealed exam it did surely worse than the same language model without your data. It cannot be published. More examples, or clearer ones, are what helps.',
      },
      unverified: {
        name: 'Unverified',
        what: 'Asked its exam again through the address where it is sold, it did worse than its exam says. Buyers see this word beside it until a new version passes.',
      },
    },
    card: 'See the quality card',
    none: 'The exam comes after the training.',
    bar: (arm: string, score: string, low: string, high: string): string => `${arm}: ${score} %, likely ${low} to ${high} %`,
  },

  tryIt: {
    heading: 'Try it',
    free: 'Free for you here. Nothing is paid or counted.',
    label: { classify: 'A text to sort', other: 'Your question' },
    ask: 'Ask',
    asking: 'Thinking',
    empty: { message: 'There is nothing to ask yet.', hint: 'Write a question or a text first.' },
    abstained: 'Your pages do not cover this, and the model says so instead of guessing.',
    quoted: 'Quoted from your pages',
    sure: (share: string): string => `${share} sure`,
    more: (count: number): string => `and ${plural(count, 'less likely kind', 'less likely kinds')}`,
    label2: 'It says',
    answer: 'Answer',
  },

  sell: {
    heading: 'Price and earnings',
    price: 'Price per question',
    earned: 'Earned',
    asked: 'Paid questions',
    payout: 'Paid to',
    listing: 'Listing',
    publishHeading: 'Publish it',
    publish: 'Publish',
    publishing: 'Publishing',
    publishedNow: (tx: string): string => `Published, transaction ${tx}.`,
    examples: 'One thousand questions would earn you',
  },

  use: {
    heading: 'Use it from a program',
    text: 'Any OpenAI-compatible client can ask. Without payment the answer is 402, which says in full how to pay:',
    textPay: 'From this machine, paying with the local wallet:',
    curl: 'the curl command',
    pay: 'the paying command',
    question: 'Your text here',
  },

  receipts: {
    heading: 'Last receipts',
    what: 'One line for every paid question.',
    none: 'When somebody pays for a question, its receipt appears here at once.',
    time: 'Time',
    model: 'Model',
    amount: 'Amount',
    payer: 'Paid by',
    tx: 'Transaction',
    sources: 'Sources',
    noSources: 'none quoted',
    moreSources: (count: number): string => `and ${count} more`,
    transaction: 'the transaction',
    address: 'the address',
  },

  footer: {
    heading: 'Where the payments are made',
    chain: (id: number): string => `chain ${id}`,
    token: 'Token',
    registry: 'Registry',
    router: 'Router',
    test: 'A test chain that runs on this machine.',
  },

  news: { paid: (model: string, amount: string, currency: string): string => `${model} was paid ${amount} ${currency}.` },

  problems: {
    unreachable: 'The server cannot be reached.',
    startAgain: 'Check that it is running, then try again.',
    notUnderstood: 'The server sent something this page does not understand.',
    reload: 'Reload the page; the server may be newer than it.',
    status: (status: number): string => `The server answered with status ${status}.`,
    broken: 'This page has run into a fault.',
  },
}
