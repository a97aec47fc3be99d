/**
 * What people write, as data: words that give away a task, a column's part, a wish; in the languages the offline planner
 * speaks. Word beginnings, lower case, without their accents. Knows nothing of how they are weighed.
 */
import type { Task } from '../../core/spec.ts'

/** Beginnings of words and phrases that speak for a task, with their weight. */
export const taskCues: Record<Task, readonly (readonly [weight: number, cues: string])[]> = {
  answer: [
    [2, 'answer|question in|ask things|ask them|asks about|ask about|asking|what people ask|chatbot|helpdesk|faq|look up|lookup|knows everything about'],
    [2, 'respond|contest|pregunt|consult|duda|repond|reponse|question|antwort|beantwort|frage|pergunt|duvid|rispond|domand'],
    [2, 'jibu|ujibu|kujibu|maswali|swali|uliza|जवाब|उत्तर|सवाल|प्रश्न|jawab|menjawab|pertanyaan|bertanya|tanya|回答|问题|أجب|يجيب|سؤال|أسئلة|soru|cevap'],
    [1, 'from these pages|from the pages|from our|from the wiki|from my notes|question|in the manual|in the handbook|who ask|people ask|keep asking|ask'],
  ],
  classify: [
    [
      3,
      'classif|categor|which kind|what kind of|which type|what type of|which topic|what topic|sentiment|sort into|sort them|into one of|label each|tag each|tag every|triage',
    ],
    [
      3,
      'clasific|categori|clasifica|de que tipo|que tipo|que tema|classer|quel type|quelle categorie|quel sujet|klassifi|einordn|welche art|welches thema|welche kategorie|sortier',
    ],
    [3, 'de que assunto|qual assunto|qual categoria|mada gani|aina gani|kundi gani|ainisha|panga|hisia|वर्गीकृत|श्रेणी|किस विषय|किस प्रकार|किस तरह|खाने में|भावना'],
    [3, 'klasifikasi|kategori|topik apa|jenis apa|golongkan|kelompokkan|sentimen|ditandai|分类|类别|صنف|تصنيف|siniflandir|yonlendir|classifica'],
    [
      2,
      'whether|one of|tell me if|is it|spam|grade|either|urgent|positive or negative|positiv|negativ|si es|desk|deficiency code|right pile|sorted|sort|tag |tags|junk',
    ],
    [1, 'kind|type|class|topic|label|route|mark|detect|flag|code|tipo|etiquet|art |thema|aina|mada|jenis|topik|विषय|प्रकार'],
  ],
  extract: [
    [
      3,
      'extract|pull out|pulls out|fill in the columns|broken into|into columns|as json|json please|into a table|into the same columns|structured data|key in|list every',
    ],
    [
      3,
      'extrae|extraer|sacar de cada|extrai|tirar de cada|extrac|estra|auslesen|herauslesen|extrahier|toa taarifa|chukua|निकाल|ambil data|ekstrak|提取|استخرج',
    ],
    [2, 'from each|for every|read a lease|fields|number, date|needs a table|columns'],
  ],
  transform: [
    [
      3,
      'rewrite|rephrase|translat|summar|simplif|shorten|convert|turn into|into plain|everyday english|into english|need each circular|paraphras|write a draft|proofread',
    ],
    [
      3,
      'reescrib|traduc|resum|simplific|traduir|traduis|resumer|simplifier|reecri|ubersetz|zusammenfass|umschreib|vereinfach|traduz|reescrev|traduzi|riassum|tradu',
    ],
    [3, 'tafsiri|fupisha|andika upya|अनुवाद|सारांश|सरल|terjemah|ringkas|tulis ulang|sederhanakan|改写|翻译|摘要|تلخيص|ترجم|cevir|ozetle'],
    [2, 'have to become|want one sentence|before-and-after|draft|modern english|raw ->|letter to'],
  ],
}

/** Beginnings of column names by the part the column plays. */
export const columnNames = {
  label:
    'label|class|categor|topic|tag|sentiment|kind|type|target|grade|verdict|code|desk|intent|department|discipline|damage|mark|rating|etiquet|clase|tema|tipo|sujet|etikett|klasse|thema|art|kategorie|rotulo|assunto|mada|aina|kundi|lebo|श्रेणी|खाना|विषय|प्रकार|भाव|topik|jenis|kategori|etiket|mudurluk|类别|标签|تصنيف|فئة',
  text: 'text|sentence|clause|comment|message|body|content|description|review|document|abstract|post|tweet|remark|letter|note|release|input|texto|frase|oracion|comentario|texte|phrase|commentaire|satz|kommentar|nachricht|mensagem|sentensi|maandishi|ujumbe|maoni|matini|पाठ|वाक्य|शिकायत|टिप्पणी|teks|kalimat|ulasan|pesan|metin|文本|内容|نص',
  question: 'question|query|ask|prompt|pregunta|consulta|frage|pergunta|duvida|swali|maswali|प्रश्न|सवाल|pertanyaan|tanya|soru|domanda|问题|سؤال',
  answer: 'answer|response|reply|respuesta|contestacion|reponse|antwort|resposta|jibu|majibu|उत्तर|जवाब|jawab|cevap|risposta|回答|答案|جواب|إجابة',
  group:
    'group|document|doc|contract|file|patient|case|article|page|source|thread|conversation|author|user|customer|url|contrato|documento|archivo|contrat|fichier|vertrag|datei|mkataba|hati|waraka|dokumen|kontrak|berkas|संदर्भ|दस्तावेज़',
  never: 'id|key|no|nr|row|index|uuid|date|time|fecha|datum|data|tarehe|tanggal|तारीख|tarih|日期|تاريخ',
} as const

/** Wishes, each a list of beginnings; `not` cues are looked for first. */
export const wishes = {
  cite: {
    yes: 'where each answer|where it comes from|where the answer|cite|citing|citation|source|link the page|quote|reference|page number|and page|clause number|which page|article number|fuente|citando|cita|source|citant|quelle|zitier|belegstelle|fonte|chanzo|nukuu|स्रोत|sumber|kutip|出处|المصدر',
    no: 'without reference|without citation|without source|no citations|no references|don t cite|do not cite|sin citas|sans citer|ohne quellen',
  },
  refuse: {
    yes: 'say so when|do not cover|don t cover|does not cover|not covered|not in the|isn t in the|is not there|say you don t know|doesn t know|say it doesn t|instead of guessing|never guess|don t guess|never make up|never invent|make nothing up|no sale|no lo sabe|no sale en|si no esta|que lo diga|ne sait pas|n y est pas|pas dans les|nicht drinsteht|nicht steht|weiss nicht|nao souber|nao estiver|kama jibu halimo|halimo|hakuna jibu|useme hujui|नहीं हो तो|न हो तो|tidak ada di|katakan tidak tahu|kalau tidak ada',
    no: 'always answer|answer anything',
  },
  several: {
    yes: 'everything that applies|all that apply|more than one|several of|more than one may|both if|give both|name both|ambos|plusieurs|mehrere|mais de um|zaidi ya moja|lebih dari satu|एक से ज़्यादा|एक से अधिक|ikisini de',
    no: 'only one|just one|one only|exactly one|single|one of|one each|one desk|one per|solo una|un seul|genau eine|apenas um|moja tu|किसी एक|salah satu|satu saja',
  },
  local: {
    yes: 'offline|local only|locally|on premises|on-prem|not leave|never leave|stays inside|data stays|no network|no cloud|no internet|our own server|on the firm|behind the firewall|sin internet|no debe salir|hors ligne|rester chez|offline|nicht verlassen|im haus bleiben|nao pode sair|bila mtandao|बाहर नहीं|ऑफ़लाइन|tanpa internet|tidak boleh keluar',
    no: '',
  },
} as const

export const tones: Record<string, string> = {
  formal: 'formal|formell|rasmi|औपचारिक|resmi',
  friendly: 'friendly|amable|amical|freundlich|amigavel|kirafiki|ramah|दोस्ताना',
  plain:
    'plain words|plain english|plain and|plainly|simple words|lenguaje sencillo|mots simples|einfache worte|kiswahili rahisi|rahisi|bahasa sederhana|सरल भाषा',
  short: 'short answer|brief|concise|two sentences|one sentence|breve|court|kurz|curto|fupi|singkat|संक्षेप',
  playful: 'playful|fun',
  neutral: 'neutral|impartial|محايدة',
  warm: 'warm|gentle|reassuring',
}

/** Words after which a subject is named. */
export const aboutWords = 'about|regarding|concerning|sobre|acerca de|sur|au sujet de|über|zu|kuhusu|inahusu|tentang|mengenai|के बारे में'
