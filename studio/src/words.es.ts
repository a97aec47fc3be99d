/**
 * What the builder's first page says, in Spanish. Knows nothing of where a sentence stands.
 */
import type { en } from './words.en.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('es')} ${count === 1 ? one : many}`

export const es: typeof en = {
  promise: ['Di qué debe hacer tu modelo.', 'Cobra por cada pregunta que responda.'],
  promiseMore: 'Lo describes y entregas tus archivos. Aquí se construye y se examina, y cada pregunta pagada te envía su precio entero.',
  link: { connecting: 'Conectando', live: 'En directo', reconnecting: 'Reconectando' },
  linkMore: { reconnecting: 'El servidor se ha ido. Lo que ves es el último estado conocido; la página se pone al día sola.' },

  earnings: {
    heading: 'Ganado hasta ahora',
    from: (queries) => `de ${plural(queries, 'pregunta pagada', 'preguntas pagadas')}`,
    none: 'Todavía no se ha pagado ninguna pregunta.',
    export: 'todos los pagos en una tabla (CSV)',
    balance: 'Cartera',
    builder: 'Pagado a',
    currency: (currency, test) =>
      test
        ? `${currency} es dinero de prueba en una cadena que funciona en esta máquina. No tiene valor, pero cada pago lo hace un contrato de verdad, igual que en cualquier otra parte.`
        : `${currency} es lo que cuesta una pregunta. Su precio entero pasa de quien pregunta a quien construyó el modelo, en un solo pago.`,
  },

  list: {
    heading: 'Tus modelos',
    build: 'Construir un modelo',
    empty: 'Todavía ninguno.',
    unpublished: 'sin publicar',
    earned: (amount, currency) => `${amount} ${currency} ganados`,
  },
  state: { queued: 'En espera', running: 'Construyendo', done: 'Construido', refused: 'No es posible', failed: 'Ha fallado', cancelled: 'En pausa' },
  published: 'Publicado',

  empty: {
    heading: 'Todavía no se ha construido nada',
    text: 'Describe un modelo y añade tus archivos. Este es el camino que seguirá, y aquí puedes ver cada paso mientras ocurre.',
  },
  loading: { heading: 'Preguntando al servidor', text: 'Los modelos aparecen en cuanto responda.' },

  river: {
    heading: 'De las palabras al pago',
    states: { done: 'hecho', active: 'en marcha', waiting: 'todavía no', stopped: 'se detuvo aquí' },
    nouns: {
      words: { name: 'Palabras', what: 'lo que pediste' },
      spec: { name: 'Plan', what: 'lo que hará' },
      dataset: { name: 'Datos', what: 'de lo que aprende' },
      weights: { name: 'Pesos', what: 'lo que ha aprendido' },
      package: { name: 'Paquete', what: 'examinado y sellado' },
      listing: { name: 'Anuncio', what: 'ofrecido en la cadena' },
      receipt: { name: 'Recibo', what: 'una pregunta pagada' },
      royalty: { name: 'Regalía', what: 'el dinero, contigo' },
    },
    stepsOf: (step, steps) => `paso ${step} de ${steps}`,
    receipts: (count) => plural(count, 'recibo', 'recibos'),
    examples: (count) => plural(count, 'ejemplo', 'ejemplos'),
    tasks: { answer: 'responde preguntas', classify: 'clasifica textos', extract: 'encuentra detalles', transform: 'reescribe textos' },
    perQuestion: (amount) => `${amount} cada una`,
  },

  events: {
    heading: 'Lo que ha pasado',
    exam: 'Examen',
    note: 'Nota',
    none: 'Nada todavía. Espera su turno.',
    earlier: (count) => `Mostrar ${plural(count, 'línea anterior', 'líneas anteriores')}`,
    fewer: 'Mostrar menos líneas',
  },
  cancel: 'Pausar esta construcción',
  cancelling: 'Pausando',
  goOn: 'Seguir con ella',

  training: {
    heading: 'Cómo está aprendiendo',
    headingDone: 'Cómo aprendió',
    term: 'pérdida',
    loss: 'La pérdida dice cuánto sorprende al modelo la respuesta correcta. Baja mientras aprende. La línea de práctica se mide con ejemplos de los que no aprende: cuando deja de bajar, seguir solo sería aprender de memoria, y el entrenamiento se detiene ahí.',
    training: 'en lo que aprende',
    validation: 'en ejemplos de práctica',
    step: 'pasos de entrenamiento',
    preparing: 'Preparándose. La curva empieza con el primer paso de entrenamiento.',
    picture: (step, steps, first, last, practice) =>
      `Curva de pérdida tras ${step} de ${steps} pasos de entrenamiento: fue de ${first} a ${last}${practice ? `, y es ${practice} en los ejemplos de práctica` : ''}.`,
    progress: 'Progreso del entrenamiento',
    practiceTerm: 'preguntas de práctica',
    practice:
      'De vez en cuando se le hacen al modelo preguntas de práctica de las que no aprende. Cuando ya no acierta más de ellas, seguir solo sería aprender de memoria, y el entrenamiento se detiene ahí.',
    axis: 'aciertos de 100',
    pictureRight: (step, steps, first, last) =>
      `Tras ${step} de ${steps} pasos de entrenamiento acierta ${last} de cada 100 preguntas de práctica; empezó en ${first}.`,
    of100: 'de 100 preguntas de práctica acertadas',
    best: (best) => `${best} como mucho`,
    almostDone: 'quedan unos segundos',
    secondsLeft: (seconds) => `quedan unos ${seconds} segundos`,
    minutesLeft: (minutes) => (minutes === 1 ? 'queda 1 minuto' : `quedan unos ${minutes} minutos`),
    timeUnknown: 'aún no se sabe cuánto queda',
    finished: (steps) => `terminó tras ${plural(steps, 'paso', 'pasos')}`,
    stopped: (steps) => `se detuvo en el paso ${steps}`,
  },

  exam: {
    heading: 'El examen',
    n: (count) => plural(count, 'pregunta sellada', 'preguntas selladas'),
    sealedTerm: 'examen sellado',
    sealed:
      'Estos casos se apartaron y se cerraron antes de aprender nada. Nadie, ni parte alguna del entrenamiento, los ha visto. El examen se hace una vez por versión.',
    intervalTerm: 'margen probable',
    interval:
      'La línea fina es el intervalo del 95 %. Con otro conjunto de preguntas del mismo tipo, la nota caería casi siempre dentro. Cuantas menos preguntas, más larga es la línea.',
    range: (low, high) => `probablemente de ${low} a ${high}`,
    arms: {
      tuned: 'Tu modelo',
      neural: 'Su parte neuronal sola',
      classical: 'Su parte que cuenta palabras, sola',
      base: 'Antes de tus datos',
      baseline: 'Método sencillo',
    },
    armTerms: {
      tuned: 'El modelo tal como se sirve y se vende, después de aprender de tus archivos.',
      base: 'El mismo modelo de lenguaje pequeño, con la misma pregunta, antes de aprender nada de ti.',
      neural:
        'El modelo de lenguaje entrenado, por sí solo. En tu modelo opina a su lado un método sencillo que cuenta palabras, porque así salió mejor en los ejemplos de práctica.',
      classical: 'El método que cuenta palabras y trozos de palabras y opina en tu modelo junto al modelo de lenguaje, por sí solo.',
      baseline: 'Un método conocido y barato, sin modelo de lenguaje. Un modelo que no lo supera apenas merece que se pague por él.',
    },
    madeOf: (what) => `Aquí: ${what.replace(/\.$/, '')}.`,
    metrics: {
      accuracy: { name: 'respuestas correctas', what: 'La parte de las preguntas del examen respondidas correctamente.' },
      macrof1: {
        name: 'nota equilibrada (macro-F1)',
        what: 'Lo bien que se reconoce cada tipo, en promedio, de modo que un tipo raro cuenta tanto como uno común. 100 % es ningún error.',
      },
      tokenf1withrefusals: {
        name: 'coincidencia con la respuesta esperada (token-F1)',
        what: 'Cuántas palabras comparten la respuesta dada y la esperada; 100 % es palabra por palabra lo mismo. Donde tus páginas no tienen respuesta, decirlo cuenta como acierto y responder igualmente como error.',
      },
      tokenf1: {
        name: 'coincidencia con la respuesta esperada (token-F1)',
        what: 'Cuántas palabras comparten la respuesta dada y la esperada. 100 % es palabra por palabra lo mismo.',
      },
      f1ofthekinds: {
        name: 'nota equilibrada (F1 de los tipos)',
        what: 'Cuántos de los tipos que encontró eran correctos y cuántos de los correctos encontró, en un solo número. 100 % es ningún error.',
      },
      entityf1exact: {
        name: 'encontrado exactamente (entity-F1)',
        what: 'Cuántos de los fragmentos que marcó eran correctos, de la primera letra a la última y del tipo debido, y cuántos se le escaparon. 100 % es ningún error.',
      },
      chrf: {
        name: 'parecido con el texto esperado (chrF)',
        what: 'Cuántas secuencias cortas de letras comparten el texto escrito y el esperado. 100 % es letra por letra lo mismo.',
      },
    },
    otherMetric: 'La nota con la que se puntuó el examen. Más es mejor.',
    scored: (metric) => `Puntuado por ${metric}.`,
    verdicts: {
      better: 'Claramente mejor que antes de tus datos y que el método sencillo.',
      betterThanBase: 'Claramente mejor que antes de tus datos. Frente al método sencillo, estas preguntas no lo deciden.',
      belowBaseline: 'Claramente mejor que antes de tus datos, pero el método sencillo aún lo hace mejor.',
      unclear: 'Los márgenes se solapan: estas preguntas no muestran que sea mejor que antes de tus datos.',
      worse: 'Lo hace peor que antes de tus datos. No vendas esta versión.',
    },
    standings: {
      proven: {
        name: 'Probado',
        what: 'En su examen sellado lo hizo con seguridad mejor que el mismo modelo de lenguaje sin tus datos, y no con seguridad peor que un método sencillo.',
      },
      unproven: {
        name: 'Sin probar',
        what: 'Las preguntas selladas no muestran con seguridad que sea mejor que el mismo modelo de lenguaje sin tus datos, o un método sencillo lo hace con seguridad mejor. Se puede vender, y todo comprador ve esta palabra a su lado.',
      },
      worse: {
        name: 'Peor que su base',
        what: 'En su examen sellado lo hizo con seguridad peor que el mismo modelo de lenguaje sin tus datos. No se puede publicar. Lo que ayuda son más ejemplos, o más claros.',
      },
      unverified: {
        name: 'Sin verificar',
        what: 'Al repetir su examen por la dirección donde se vende, lo hizo peor de lo que dice su examen. Los compradores ven esta palabra hasta que una nueva versión lo supere.',
      },
    },
    card: 'Ver la ficha de calidad',
    none: 'El examen viene después del entrenamiento.',
    bar: (arm, score, low, high) => `${arm}: ${score} %, probablemente de ${low} a ${high} %`,
  },

  tryIt: {
    heading: 'Pruébalo',
    free: 'Gratis para ti aquí. No se paga ni se cuenta nada.',
    label: { classify: 'Un texto que clasificar', other: 'Tu pregunta' },
    ask: 'Preguntar',
    asking: 'Pensando',
    empty: { message: 'Aún no hay nada que preguntar.', hint: 'Escribe antes una pregunta o un texto.' },
    abstained: 'Tus páginas no tratan esto, y el modelo lo dice en vez de adivinar.',
    quoted: 'Citado de tus páginas',
    sure: (share) => `${share} de seguridad`,
    more: (count) => `y ${plural(count, 'tipo menos probable', 'tipos menos probables')}`,
    label2: 'Dice',
    answer: 'Respuesta',
  },

  sell: {
    heading: 'Precio e ingresos',
    price: 'Precio por pregunta',
    earned: 'Ganado',
    asked: 'Preguntas pagadas',
    payout: 'Pagado a',
    listing: 'Anuncio',
    publishHeading: 'Publícalo',
    publish: 'Publicar',
    publishing: 'Publicando',
    publishedNow: (tx) => `Publicado, transacción ${tx}.`,
    examples: 'Mil preguntas te darían',
  },

  use: {
    heading: 'Úsalo desde un programa',
    text: 'Cualquier cliente compatible con OpenAI puede preguntar. Sin pago la respuesta es 402, que dice por completo cómo pagar:',
    textPay: 'Desde esta máquina, pagando con la cartera local:',
    curl: 'la orden curl',
    pay: 'la orden que paga',
    question: 'Aquí tu texto',
  },

  receipts: {
    heading: 'Últimos recibos',
    what: 'Una línea por cada pregunta pagada.',
    none: 'Cuando alguien paga una pregunta, su recibo aparece aquí al momento.',
    time: 'Hora',
    model: 'Modelo',
    amount: 'Importe',
    payer: 'Pagado por',
    tx: 'Transacción',
    sources: 'Fuentes',
    noSources: 'ninguna citada',
    moreSources: (count) => `y ${count} más`,
    transaction: 'la transacción',
    address: 'la dirección',
  },

  footer: {
    heading: 'Donde se hacen los pagos',
    chain: (id) => `cadena ${id}`,
    token: 'Token',
    registry: 'Registro',
    router: 'Enrutador',
    test: 'Una cadena de prueba que funciona en esta máquina.',
  },

  news: { paid: (model, amount, currency) => `${model} cobró ${amount} ${currency}.` },

  problems: {
    unreachable: 'No se puede alcanzar el servidor.',
    startAgain: 'Comprueba que está en marcha e inténtalo de nuevo.',
    notUnderstood: 'El servidor envió algo que esta página no entiende.',
    reload: 'Recarga la página; el servidor puede ser más nuevo que ella.',
    status: (status) => `El servidor respondió con el estado ${status}.`,
    broken: 'Esta página ha tenido un fallo.',
  },
}
