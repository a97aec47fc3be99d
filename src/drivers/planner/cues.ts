/**
 * What people write when they want each of the four tasks, as data, language by language. Each entry is a list of word beginnings
 * (regular expressions, lower case, without Latin accents) and the weight it carries. Knows nothing of how they are added up.
 */
import type { Task } from '../../core/spec.ts'

/** One pattern of word beginnings. Scripts without spaces, and those whose words take prefixes, match anywhere. */
export function beginnings(list: string): RegExp {
  const parts = alternatives(list)
  const anywhere = parts.filter((part) => unbound.test(part))
  const bound = parts.filter((part) => !unbound.test(part))
  const pieces = [...(bound.length ? [`(?<![\\p{L}\\p{M}\\p{N}])(?:${bound.join('|')})`] : []), ...anywhere]
  return new RegExp(pieces.join('|') || '(?!)', 'u')
}

const unbound = /^(?:\(\?:)?[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Arabic}\p{Script=Hangul}\p{Script=Devanagari}]/u

/** The alternatives of a pattern that stand outside its brackets. */
function alternatives(list: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const letter of list) {
    if (letter === '|' && depth === 0) {
      if (part) parts.push(part)
      part = ''
      continue
    }
    if (letter === '(' || letter === '[') depth++
    if (letter === ')' || letter === ']') depth--
    part += letter
  }
  return part ? [...parts, part] : parts
}

type Cue = readonly [weight: number, cues: string]

const answer: readonly Cue[] = [
  [
    3,
    'answer(?:s|ing|ed)? (?:\\p{L}+ ){0,3}(?:questions|patients|customers|members|callers|from|using|out of|only)|q ?(?:&|and|n) ?a\\b|chat ?bot|help ?desk|faq|question in|in the (?:manual|handbook|guide|rulebook)|what do(?:es)? (?:our|the|my|this|these) (?:\\p{L}+ ){1,4}say|helper (?:for|about)|(?:rights?|rules?|policy|benefits?|tax|law) helper|look ?ups?|knows everything about',
  ],
  [
    2,
    'answer|questions?\\b|ask(?:s|ing|ed)?\\b|asks? about|what people ask|bot\\b|assistant|(?:ring|call|phone|write|email|wonder)s?(?: \\p{L}+| \\p{N}+\\p{L}*){0,4} about|sources?:|the source|source attached|want to know|wants to know|enquir|quer(?:y|ies)\\b|the reply|tell them what|cite|quote the|which page|page number|clause number|refer(?:s|red)? (?:back )?to the',
  ],
  [
    1,
    'from (?:these|the|our|my) (?:pages|manuals?|handbook|leaflets?|guid\\p{L}*|wiki|notes|rules|bylaws|byelaws|documents?|policy|policies|catalogue)|when (?:do|can|is)|how (?:do|many|much|long|high|far|often)|(?:may|must|should|am) (?:i|we|they)\\b|who (?:cuts|pays|can|may|must)|what if|can i\\b|where is|if it s not in|isn t (?:in|there)|not covered',
  ],
  [
    3,
    'respond[ae]?r? (?:a )?(?:las |los |mis |sus )?(?:preguntas|dudas|consultas)|que (?:me )?(?:responda|conteste)|repondre aux questions|repond(?:re|e)? (?:a|aux)|fragen (?:\\p{L}+ ){0,4}(?:beantwort|antwort)|beantwort|responda |respond[ae] (?:as|a|com|com base)|tire duvidas|tirar duvidas|antwoord(?:en)? (?:\\p{L}+ ){0,2}(?:vragen|uit)|rispond(?:a|ere|e)',
  ],
  [
    2,
    'respond|contest|pregunt|consult|duda|repond|reponse|poser (?:mes|des|leurs) questions|questions|antwort|frage|pergunt|duvid|rispond|domand|vragen|antwoord|odpowi|pytan|soru|cevap|yanit|cau hoi|tra loi|hoi |вопрос|отвеч|ответ|питан|відпов',
  ],
  [
    2,
    'jibu|ujibu|kujibu|isibu|ijibu|lijibu|majibu|maswali|swali|uliza|huuliza|wanauliza|kuuliza|जवाब|उत्तर|सवाल|प्रश्न|पूछ|jawab|dijawab|menjawab|pertanyaan|bertanya|tanya|ditanya|回答|问题|提问|询问|咨询|أجب|يجيب|الإجابة|سؤال|أسئلة|質問|答え|回答|問い合わせに答|질문|답변',
  ],
]
const classify: readonly Cue[] = [
  [
    3,
    'classif|categor|which (?:kind|type|sort|topic|department|desk|team|category|class|box|pile|folder|queue|label|one it)|what (?:kind|type|sort|topic) of|what kind\\b|sentiment|sort(?:ed|s|ing)? (?:\\p{L}+ ){0,4}(?:into|by|as|in)\\b|sort (?:my|our|the|these|them|incoming|each|every)|into one of|one of (?:\\p{L}+ ){0,3}(?:kinds|categories|types|labels|tags|boxes|groups|classes)|label (?:each|every|them|it|with)|tag (?:each|every|them|it|with|all)|tags?:|triage|rout(?:e|ed|es|ing) (?:\\p{L}+ ){0,3}to|goes? to (?:one|which|the right)|tell (?:\\p{L}+ ){1,3}(?:apart|from)|spam|flag(?:s|ged)? (?:each|any|the|those|which|up)',
  ],
  [
    2,
    'which (?:ones? )?(?:need|are|should|must|can|don t|do not|is)\\b|which don t|marks? of\\b|marked\\b|mark scheme|graded\\b|whether (?:it|the|this|they|each|an?)\\b|tell me (?:if|whether)|say (?:if|whether)|is (?:it|this)\\b|are they\\b|either|grade[sd]?\\b|grading|tags?\\b|label|sorted\\b|sort\\b|categor|urgent|priorit|positive|negative|the right (?:pile|desk|box|person|team)|screen(?:ing)? (?:them|for)|(?:predict|forecast)(?:s|ing)?\\b|find out (?:\\p{L}+ ){0,5}who (?:is|are)|decid(?:e|es|ing) (?:if|whether|which|between)|which of (?:our|the|my|these|those) (?:[\\p{L}\\p{N}]+ ){1,6}(?:does|do|is|are|this|it)\\b|ticks?\\b|ticked|detect|spot (?:the|which|those)|mark (?:each|every|the|them|as|those)|score[sd]? (?:each|them)|assign|bucket|mood|verdict|severity|rat(?:e|ing) (?:each|them|the)|yes or no|yes\\/no|catch (?:the|those)|true or false|codes?\\b|several (?:can|may) apply|all that appl|everything that applies|on a scale',
  ],
  [1, 'kind|type|class\\b|topic|route|flag|code|department|piles?\\b|boxes\\b|buckets\\b'],
  [
    3,
    'clasific|categori|etiquet|de que tipo|que tipo|que tema|a que (?:departamento|area|seccion)|class(?:er|e|es|ement)\\b|classif|quel(?:le)? (?:type|categorie|sujet|service|theme)|tri(?:er|e)\\b|etiquett|klassifi|einordn|zuordn|zugeordnet|kategor|welche (?:art|kategorie|abteilung)|welches thema|sortier|eingeteilt|einteil|de que assunto|qual (?:assunto|categoria|setor|tipo)|separar (?:em|por)|clasifica|rotul|indeling|categorie|indelen|sorteren|classifica|smist|siniflandir|siniflara|kategori|yonlendir|phan loai|klasyfik|przypisa|классифиц|категори|сортир|разлож|класиф',
  ],
  [
    2,
    '(?:saber|dizer|dissesse|diga|decir|diz|dire|savoir|capire) s[ei]\\b|sagen,? ob|est (?:ce )?\\p{L}+,? ou |si es\\b|es (?:urgente|positiv|negativ|spam)|urgente|positiv|negativ|sentimi?ent|est-ce|si c est|urgent|dringend|ob (?:es|sie|er|die|eine?)\\b|है या |हैं या |prioridad|prioridade|priorite|gravedad|marcar|se e\\b|capire se|urgenza|marqu(?:er|e)|markier|bandera|sentimento|pre(?:decir|diga|dire|vedere|ver)\\b|predic|prediz|vorhersag|tabiri|utabiri|भविष्यवाणी|prediksi|ramal|voorspel|tahmin|прогноз|casillas|cases cochees|kreuzchen|angekreuzt',
  ],
  [
    3,
    '(?:kujua|nijue|tujue|useme|aseme) kama|mada gani|aina gani|kundi gani|kwenye kundi|makundi|kundi moja|ainish|uainish|panga|upange|hisia|vikundi|वर्गीकृत|वर्गीकरण|श्रेणी|किस विषय|किस प्रकार|किस तरह|खाने में|भावना|छाँट|छांट|बाँट|किस विभाग|klasifikasi|diklasifikasi|kategori|topik apa|jenis apa|golongkan|digolongkan|kelompok|sentimen|ditandai|tandai|menandai|pilah|dipilah|分类|分類|归类|类别|哪一类|标签|判断|صنف|تصنيف|أصنف|يصنف|فرز|分けたい|振り分け|仕分け|분류|나누',
  ],
  [1, 'tipo|etiquet|art |thema|aina|mada|jenis|topik|विषय|प्रकार|kundi|ikiwa ni|kama ni|apakah'],
]
const extract: readonly Cue[] = [
  [
    3,
    'extract|pull(?:s|ed|ing)? (?:\\p{L}+ ){0,3}(?:out|from)|pick(?:s|ed)? out|fill(?:ed|s)? (?:in|out)? ?(?:the|a|my|our)? ?(?:columns|sheet|form|table|spreadsheet|fields)|broken into|into (?:the same )?columns|as json|json|structured|into (?:a|the) (?:table|row|spreadsheet|sheet|database|register)|key(?:ed|ing)? (?:\\p{L}+ ){0,2}in\\b|list (?:every|the|each|all)|parse|named entit|fields?\\b|a table (?:in|of|with)|one row per|a row per|a row each|itemi[sz]e',
  ],
  [
    2,
    'from (?:each|every) (?:\\p{L}+ ){0,3}(?:i|we|list|take|get|the|it)|from each\\b|for (?:each|every) \\p{L}+(?: \\p{L}+)?:|from every|i need (?:the )?\\p{L}+, |tell me the|get me the|give me the|copy the|capture|register\\b|columns|number, date|date, |who, (?:what|when|where)|names?, (?:date|address|age|place|dose)|typed (?:out|up) by hand|keyed|hand-filled|filled (?:in )?by hand|digiti[sz]',
  ],
  [
    3,
    'en tirer|tirer de|extra(?:e|er|iga|ia|cc|ct|ire|ir|ido|zione)|sacar (?:de|el|la|los|nombre)|quiero sacar|saque|tirar de cada|tire de cada|releve|relever|auslesen|herauslesen|ausles|extrahier|heraushol|herauszieh|erfass(?:en|t)|uithal|eruit hal|gegevens uit|estra|ricav|cikar|trich xuat|wyciag|wyodreb|извлеч|вытащ|достать из|витяг',
  ],
  [
    3,
    'toa (?:taarifa|majina|jina|tarehe)|chukua|nitolee|kutoa (?:jina|taarifa|tarehe)|itoe|utoe|dondoa|निकाल|ambil (?:data|nama|nomor|tanggal)|ekstrak|diambil|keluarkan|提取|抽取|摘出|استخرج|استخراج|抽出|取り出|추출|뽑아',
  ],
  [
    2,
    'de cada (?:una|uno|\\p{L}+)[^.]{0,30}(?:,|:)|pour chaque [^.]{0,40}:|aus jede[rmn]|fur jede[ns]? [^.]{0,40}:|de cada \\p{L}+ (?:preciso|quero|quiero|necesito)|dari (?:setiap|tiap)|kutoka kila|hal(?:e|en) uit|da ogni|हर .{0,20}से|每份|每张|columnas|colonnes|spalten|colunas|champs|felder|campos|kolom|safu|कॉलम',
  ],
]
const transform: readonly Cue[] = [
  [
    3,
    '(?:need|want|looking for) a (?:writer|translator|copywriter|summari)|easier words|reading (?:level|age)|rewrit|rewrote|re-?phrase|translat|summar|simplif|shorten|condens|convert|turn(?:s|ed|ing)? (?:[\\p{L}\\p{N}-]+ ){0,6}into|ghostwrit|make (?:it|this|that|them) (?:an?|into|sound|read|more|less)\\b|into (?:plain|everyday|simple|proper|clear|modern|good|readable)|paraphras|(?:write|draft|compose|prepare|produce|make(?= (?:me |us )?(?:\\p{L}+ ){0,2}(?:captions?|headlines?|summar|drafts?|descriptions?|blurbs?|letters?|subtitles?)))s? (?:me |us )?(?:a |an |the |my |our |first )*(?:\\p{L}+ ){0,2}(?:drafts?|repl(?:y|ies)|letters?|summar|captions?|headlines?|descriptions?|paragraphs?|obituar|messages?|reviews?|adverts?|speech|emails?|e-mails?|notices?|versions?|blurbs?|listings?|posts?|bulletins?|reports?|poems?|stor|notes?\\b|scripts?|answers? to|\\p{L}+ texts?)|proofread|correct (?:the|my|our|their) (?:grammar|spelling)|abridg|moderni[sz]e|(?:raw|old|en|es|fr) ?-> ?\\p{L}|gist|digest|boil (?:\\p{L}+ )?down|reword|transliterat|subtitl|write[- ]?ups?\\b|(?:paste|put|feed|drop|type|copy)s? (?:\\p{L}+ ){0,4}in,? (?:and )?(?:get|have|out|i get)|get (?:a|an|the|back) (?:\\p{L}+[ -]){0,3}(?:paragraph|letter|summary|version|draft|text)\\b|come(?:s)? back (?:corrected|in|as|shorter|simpler)|corrected|corrig(?:ir|ier|er|e)|korrigier|\\p{L}{0,4}sahihish|सुधार(?:ना|कर)|koreksi|perbaiki (?:tata|ejaan|kalimat)',
  ],
  [
    3,
    '(?:one|two|three|four|five|\\d+) (?:short )?(?:sentences?|lines?|paragraphs?)[^.;]{0,40} (?:per|for each|for every|of each|about each) |(?:\\p{L}+ ){0,2}in, (?!(?:\\p{L}+ ){0,2}(?:diagnos|verdict|label|categor|answer|kind|class|yes))(?:\\p{L}+[- ]){1,5}out\\b',
  ],
  [
    2,
    'escriba|escribir|escribe\\b|ecrire|escreva|escrever|\\p{L}{0,4}andik[ae]\\b|tuliskan|buatkan (?:surat|teks|balasan|jawaban|deskripsi|ulasan)|लिखे\\s|लिखना|scriva|scrivere|schrijf|напиши|писал|out comes|comes out|should become|turn(?:s)? into|have to become|has to become|to become|want one sentence|(?:in |to )?(?:one|two|three|four|five|\\d+) (?:sentences|lines|words|paragraphs?)\\b|everyday english|before-and-after|before and after|drafts?\\b|modern (?:english|german|french|spanish|dutch|\\p{L}+ language)|plain english version|plain-language|plain language|letter to|make it (?:shorter|simpler|readable|friendl)|dictat|versions?\\b|in the style of|out comes|comes out as|easy[- ]read|\\b\\d+-word|word limit|minutes into|need (?:each|every|them|these|it) (?:\\p{L}+ )?in\\b',
  ],
  [
    3,
    'reescrib|reescrit|traduc|traduzc|resum|simplific|redact|convertir|convierta|pasar a|traduir|traduis|traduction|resumer|resume\\b|simplifier|reecri|redig|transforme[rz]?\\b|transformiere?|wandle|umwandel|umgewandelt|convierte|convertis|converta|trasform|ubersetz|zusammenfass|fasse? .{0,40}zusammen|umschreib|umformulier|formulier|vereinfach|kurz(?:en|t)|in (?:leichte|einfache) sprache|verfass|traduz|reescrev|traduzi|reescrit|escrev(?:e|er|a) (?:a |uma |as )?(?:respost|vers|descri)|transformar em|riassum|tradu|riscriv|semplific|vertaal|vertal|samenvat|herschrijf|herschrijven|cevir|ozetle|yeniden yaz|sadelestir|dich |tom tat|viet lai|przetlumacz|tlumacz|stresz|перев[её]д|перевод|перепис|перепиш|сократ|пересказ|краткое|перекла|скорот',
  ],
  [
    3,
    'tafsiri|itafsiri|fupisha|ifupishe|ufupish|muhtasari|andika upya|rahisisha|eleza .{0,40}kwa (?:lugha|kiswahili)|geuza|अनुवाद|सारांश|सरल भाषा में (?:लिख|बदल)|आसान भाषा में (?:लिख|बदल)|संक्षेप|छोटा कर|terjemah|diterjemah|ringkas|diringkas|tulis ulang|ditulis ulang|sederhanakan|disederhanakan|ubah (?:\\p{L}+ ){0,4}(?:jadi|menjadi)|改写|翻译|摘要|总结|概括|缩写|润色|تلخيص|لخص|ترجم|إعادة صياغة|صياغة|要約|翻訳|書き換え|言い換え|요약|번역|고쳐',
  ],
]

export const taskCues: Record<Task, readonly (readonly [number, RegExp])[]> = {
  answer: answer.map(([weight, list]) => [weight, beginnings(list)]),
  classify: classify.map(([weight, list]) => [weight, beginnings(list)]),
  extract: extract.map(([weight, list]) => [weight, beginnings(list)]),
  transform: transform.map(([weight, list]) => [weight, beginnings(list)]),
}

/** What `transform` does, first match wins. */
export const transformCues: readonly (readonly ['translate' | 'summarise' | 'simplify' | 'generate' | 'rewrite', RegExp])[] = [
  [
    'translate',
    beginnings(
      'translat|traduc|traduz|traduir|traduis|ubersetz|tradu|tafsiri|itafsiri|अनुवाद|terjemah|diterjemah|翻译|ترجم|翻訳|번역|cevir|vertaal|vertal|перев|перекла|przetlumacz|tlumacz|dich ',
    ),
  ],
  [
    'summarise',
    beginnings(
      'summar|shorten|condens|digest|abridg|boil|gist|resum|resumer|zusammenfass|fasse|kurz|riassum|fupisha|ifupish|muhtasari|सारांश|संक्षेप|छोटा|ringkas|diringkas|摘要|总结|概括|تلخيص|لخص|要約|요약|ozetle|samenvat|кратк|сократ',
    ),
  ],
  [
    'simplify',
    beginnings(
      'simplif|plain english|plain language|plain-language|easy[- ]read|everyday|simple words|leichte sprache|einfache sprache|vereinfach|semplific|lenguaje (?:sencillo|claro)|facile a lire|rahisi|rahisisha|सरल|आसान|sederhana|sadelestir',
    ),
  ],
  [
    'generate',
    beginnings(
      '(?:write|draft|compose|generate)s? (?:\\p{L}+ ){0,3}(?:repl|letter|description|caption|headline|obituar|e-?mail|post|listing|paragraph)|redact|redig|verfass|escrev\\p{L}+ (?:\\p{L}+ )?(?:respost|descri)|tulis(?:kan)? (?:deskripsi|balasan|surat)|andika (?:barua|majibu|maelezo)|लिख(?:ना|े|कर)',
    ),
  ],
]
