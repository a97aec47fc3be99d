/**
 * What is not built, and what could be instead. Each rule needs several signs at once, so that those who study, detect or prevent a harm are
 * not taken for those who do it: a fraud desk, a poison centre, a bomb disposal school. Knows nothing of tasks or files' content.
 */
import type { Decline, Task } from '../../core/spec.ts'
import { beginnings } from './cues.ts'
import { plain } from './languages.ts'

type Rule = Decline & {
  /** The task such a wish is nearest to, where its words show none. */
  task: Task
  /** Every one of these must be said. */
  all: readonly RegExp[]
  /** None of these. */
  unless?: RegExp
}

/** Work against a harm, not for it. */
const defence = beginnings(
  'detect|spot\\b|recogni|identify|flag|prevent|protect|warn|fraud desk|anti-|safeguard|compliance|moderat|report(?:ed|s) (?:to|by)|victim|survivor|awareness|teach|toxicolog|poison (?:control|centre|center)|forensic|disposal|investigat|defen[cs]|shelter|counsel|detectar|prevenir|proteger|denuncia|victima|detecter|prevenir|proteger|erkennen|schutz|vorbeug|opfer|detectar|vitima|kutambua|kuzuia|kulinda|पहचान|रोक|बचाव|mendeteksi|mencegah|melindungi|korban|识别|检测|防|كشف|منع|حماية|riconosc|herkennen|выяв|wykry',
)

const noClinician = beginnings(
  'no (?:\\p{L}+ )?(?:psychiatrist|specialist|therapist|midwife|cardiologist|paediatrician|gp|medic)s? (?:is |are )?(?:needed|required|necessary|involved|to ask)|(?:need|needs|see|ask|seeing) no (?:doctor|psychiatrist|specialist|midwife|nurse|clinician|physician)|no (?:need (?:for|of|to see)|longer need) (?:a |the )?(?:doctor|nurse|clinician|physician)|no (?:doctor|clinician|nurse|physician|vet|pharmacist|one|human|professional)s? (?:\\p{L}+ )?(?:check|review|sign|involved|in the loop|needed|looks?|sees?|available)|without (?:a |any |the |seeing (?:a )?|asking (?:a )?|bothering (?:a |the )?|waiting for (?:a |the )?)?(?:doctor|clinician|nurse|physician|pharmacist|prescription|medical|vet\\b)|nobody (?:checks|reviews|looks)|(?:instead of|rather than|replac\\p{L}+|in place of|so (?:we|i|they) (?:don t|can skip|needn t)) (?:need |calling |seeing |going to |paying )?(?:a |the |our )?(?:doctor|clinician|nurse|physician|pharmacist|ambulance|paramedic|hospital|112|911|999|dispatcher|triage nurse|psychiatrist|therapist)|no warnings|skip the doctor|don t (?:put|want|add) (?:any )?(?:warnings|disclaimers)|sin (?:medico|pasar por el medico|que lo vea un medico|receta|consultar al medico)|en (?:vez|lugar) de(?:l| un| ir al| llamar)? (?:medico|doctor|112|ambulancia)|sans (?:medecin|ordonnance|passer par|voir un medecin|avis medical)|au lieu d(?:u|e|un) (?:medecin|docteur|samu|15)|remplacer le (?:medecin|docteur)|ohne (?:arzt|arztin|rezept|arztliche)|statt (?:arzt|zum arzt|eines arztes|den notruf|notarzt)|sem (?:medico|receita|passar pelo medico|consultar)|em vez d(?:o|e) (?:medico|ir ao medico|samu)|bila (?:daktari|kumwona daktari|agizo la daktari)|badala ya (?:daktari|hospitali)|बिना डॉक्टर|डॉक्टर के बिना|बिना पर्च|डॉक्टर की जगह|डॉक्टर को दिखाए बिना|tanpa (?:dokter|resep|ke dokter|bertanya dokter|perlu dokter)|menggantikan dokter|tidak perlu (?:ke )?dokter|不用医生|没有医生|代替医生|无需医生|بدون طبيب|دون طبيب|بدلا من الطبيب|senza (?:medico|ricetta)|al posto del medico|zonder (?:arts|dokter|recept)|без врача|bez lekarza|doktorsuz',
)
const treating = beginnings(
  'antidepress|painkiller|sedative|tablets?\\b|(?:which|what) (?:medicine|medication|pill)|dos(?:e|es|age|ing)\\b|prescri|antibiotic|insulin|morphine|opioid|medic(?:ine|ation|ament)|drug\\b|drugs\\b|pills?\\b|diagnos|treat(?:s|ment|ing)?\\b|how many (?:mg|tablets)|symptom|heart attack|emergenc|suicid|chest pain|dosis|recet|antibiotico|medicament|sintoma|posologie|ordonnance|symptome|dosier|medikament|verschreib|diagnostik|remedio|dose\\b|medicacao|sintomas|dawa|dozi|dalili|खुराक|दवा|लक्षण|इलाज|dosis|obat|gejala|剂量|药|症状|诊断|جرعة|دواء|أعراض|تشخيص|dose|farmac|sintom|medicijn|доз|лекарств|lek(?:i|ow|ar)?\\b|ilac',
)

/** What nobody is to be found out for. */
const intimate =
  'gay|lesbian|homosexual|bisexual|trans(?:gender)?\\b|queer|lgbt|pregnant|muslim|jew|christian|hindu|ahmadi|union|hiv|depress|mentally ill|communist|dissident|homosex|embarazad|sindical|musulman|judi|enceinte|syndiqu|juif|schwul|lesbisch|schwanger|gewerkschaft|muslim|jud|gravid|gay|lesbica|shoga|mashoga|mjamzito|समलैंगिक|गर्भवती|मुस्लिम|hamil|homo|anggota serikat'

const rules: readonly Rule[] = [
  {
    task: 'answer',
    kind: 'unsafe',
    reason: 'A model that decides on medicines, doses or emergencies with no clinician in between can kill someone, however great the need.',
    alternative:
      'a model that quotes approved guidelines with their source to a clinician who decides, or one that sorts incoming notes so that the urgent ones reach a person first.',
    all: [treating, noClinician],
    unless: beginnings('leaflet|patient information|prospecto|notice officielle'),
  },
  {
    task: 'extract',
    kind: 'unsafe',
    reason: 'A model that finds out where a person is or what they do behind their back helps to stalk them.',
    alternative: 'a model that explains to people how to protect their own location and accounts, from guides you hand over.',
    all: [
      beginnings(
        'track|follow|stalk|spy|monitor|locat|find out where|where (?:he|she|they) (?:is|goes|are|live)|tells? me where|keep (?:an eye|tabs) on|watch(?:es)? (?:what|where|her|him)|read (?:her|his|their) (?:messages|texts|chats|mail)|espia|vigil|rastre|seguir a|seguirle|donde esta|donde vive|espionn|surveill|suivre (?:mon|ma)|traquer|pister|ausspion|uberwach|verfolg|orten|wo (?:er|sie) (?:ist|wohnt|war)|espion|vigiar|onde (?:ela|ele)|\\p{L}*fuatili|anaongea na nani|yuko wapi|kupeleleza|nijue alipo|जासूसी|नज़र रख|नजर रख|पीछा|कहाँ जाती|कहां जाती|कहाँ है|di mana\\b|dengan siapa|isi chat|baca chat|memata-matai|melacak|mengintai|lacak|menguntit|跟踪|监视|定位|偷看|تجسس|تتبع|مراقبة|spiare|pedin|bespied|volgen waar|следить|слеж|sledz|takip et',
      ),
      beginnings(
        'ex\\b|ex-|wife|husband|girlfriend|boyfriend|partner\\b|my daughter|my son|neighbo|without (?:her|him|them|their|his) (?:knowing|knowledge|noticing|consent)|(?:she|he|they) (?:mustn t|must not|won t|doesn t|don t|should not|shouldn t) (?:know|notice|find out)|secretly|quietly|behind (?:her|his|their) back|covert|mi (?:ex|mujer|marido|esposa|novia|novio)|sin que (?:lo |se )?(?:sepa|entere|note)|a escondidas|mon (?:ex|mari)|ma (?:femme|copine)|a (?:son|leur) insu|sans qu (?:elle|il)|meine[rn]? (?:ex|frau|freundin|mann|exfrau)|heimlich|ohne (?:ihr|sein|deren) wissen|minha (?:ex|mulher|esposa|namorada)|meu (?:ex|marido|namorado)|sem que (?:ela|ele|saiba)|escondid|mke wangu|mume wangu|mpenzi|bila (?:yeye )?kujua|kwa siri|पत्नी|पति\\b|गर्लफ्रेंड|प्रेमिका|बिना बताए|चुपके|चोरी-छिपे|mantan|istri(?: saya)?|suami saya|pacar|diam-diam|tanpa (?:dia|sepengetahuan)|前妻|前女友|妻子|老婆|偷偷|زوجتي|زوجي|حبيب|سرا|دون علم|ex (?:moglie|fidanzata)|mia moglie|di nascosto|stiekem|mijn (?:ex|vrouw|vriendin)|бывш|жен[аыу]|тайно|była|eski (?:eşim|sevgilim)|karim',
      ),
    ],
    unless: beginnings('shelter|helpline|support group|victims?\\b|survivors?\\b|victimas|victimes'),
  },
  {
    task: 'transform',
    kind: 'unsafe',
    reason: 'A model that makes texts to pass for someone else or for something true that is not would be used to deceive people.',
    alternative: 'a model that recognises such texts and warns people about them, or one that writes honest messages in your own name.',
    all: [
      beginnings(
        'write|writes|writer|need \\p{L}+ reviews|generat|creat|compose|produc|draft|make|making|invent|churn out|escrib|redact|inventar|genera|crea|ecri|redig|genere|invent|schreib|erzeug|erstell|verfass|escrev|gerar|cria|inventa|andika|tunga|\\p{L}{0,4}andik|\\p{L}{0,3}tengenez|लिख|बना|tulis|buat|bikin|写|生成|编|اكتب|كتابة|إنشاء|scriv|schrijf|maak|пис|напис|созда|napis|tworz|yaz',
      ),
      beginnings(
        'so (?:that )?(?:\\p{L}+ ){1,4}(?:send|transfer|hand over|wire|pay|give)s? (?:me |us |their |over |the |out )*(?:money|cash|savings|bank|pin|tan|password|card|fee|at once)|(?:para que|pour que|damit|para que|ili|taaki|supaya|ताकि) (?:\\p{L}+ ){0,5}(?:envien dinero|manden dinero|envoient de l argent|geld (?:schick|uberweis)|mandem dinheiro|enviem dinheiro|watume (?:pesa|hela)|pese bheje|kirim uang|transfer uang|पैसे भेज)|none of (?:it|them|this) (?:happened|is true|are true|is real)|never happened|pretend|(?:not|isn t|aren t|n t) true|made[- ]up|every one (?:from )?a different|each (?:one )?(?:from )?a different|as different (?:customers|guests|people|buyers)|inventad[ao]s?|invente(?:e?s)?\\b|erfunden|inventadas|za kubuni|मनगढ़ंत|karangan|pos(?:e|es|ing) as|pass(?:es)? (?:for|as|itself off)|fake (?:review|news|account|id|certificate|document|letter|invoice|testimonial|profile|reference|prescription|diploma|quote|stor)|phish|forg(?:e|ed|ery|ing)\\b|counterfeit|scam (?:message|text|email|victim|people)|as if (?:it|they|we) (?:came|come|were|was) (?:from )?(?:the |a |an |real|genuine)|looks? (?:like it s|like it is|like they re|as if it came) from (?:the |a |their )?(?:bank|court|police|tax|government|doctor|ministry|authority|post)|sound like (?:real|genuine) (?:customers|guests|buyers|patients)|so (?:people|they|he|she|victims) (?:think|believe|click|pay|hand over)|hand over (?:their )?(?:password|pin|card)|bot accounts|sock ?puppet|resenas? falsas|noticias? falsas|falsific|hacerse pasar|suplant|fausse?s? (?:avis|nouvelle|facture|attestation|certificat|ordonnance)|faux (?:avis|document|temoignage|profil)|se faire passer|usurp|gefalscht|falsche (?:bewertung|rechnung|identitat)|fake[- ]?(?:bewertung|news|rezension)|sich (?:als .{0,20})?ausgeb|vortausch|avaliac(?:oes|ao) fals|noticia(?:s)? fals|se passar por|falsos?\\b|golpe\\b|za uongo|uwongo|bandia|udanganyifu|\\p{L}*jifany|\\p{L}*danganya|नकली (?:समीक्ष|रिव्यू|प्रमाण|दस्तावेज|खबर|बिल)|फर्जी|धोखा|झूठी (?:समीक्ष|खबर)|ulasan palsu|berita (?:palsu|bohong)|hoaks|palsu|menyamar|mengaku sebagai|penipuan|pura-pura|虚假|假冒|刷单|假新闻|冒充|诈骗|مزيف|مزور|انتحال|احتيال|false? recension|recensioni false|finge|nep(?:recensie|nieuws)|поддельн|фальшив|фейк|falszyw|sahte',
      ),
    ],
    unless: defence,
  },
  {
    task: 'answer',
    kind: 'unsafe',
    reason: 'Instructions for making weapons, explosives, poisons or drugs are not put into a model.',
    alternative: 'a model that answers from safety data sheets, or one that sorts incident reports by hazard.',
    all: [
      beginnings(
        'how (?:to|do i|can i) (?:make|build|cook|mix|produce|assemble)|make|making|build|building|recipe|synthesi|assembl|cook|instruct|step by step|fabricar|hacer|construir|receta|fabriqu|construire|recette|bau(?:en|t|anleitung)|herstell|anleitung|fabricar|fazer|receita|kutengeneza|tengeneza|बनाने|बनाना|बनाए|membuat|merakit|cara buat|制造|制作|配方|صنع|تصنيع|costruire|fabbric|maken|bouwen|изготов|сделать|zbudowa|yapim',
      ),
      beginnings(
        'bombs?\\b|explosives?\\b|pipe ?bomb|ied\\b|grenade|nerve (?:agent|gas)|sarin|ricin|anthrax|bioweapon|chemical weapon|ghost gun|untraceable gun|silencer|3d[- ]printed gun|meth\\b|methamphetamine|fentanyl|molotov|poison (?:someone|a person|him|her|people|them)|undetectable poison|bomba|explosivo|armas? (?:casera|quimica|de fuego)|bombe\\b|explosif|sprengstoff|sprengsatz|waffe(?:n)? (?:bauen|herstell)|explosivos|mabomu|bomu\\b|silaha|sumu ya kuua|बम|विस्फोटक|हथियार|bom\\b|peledak|senjata (?:api|rakitan)|racun untuk|炸弹|炸药|毒药|枪支|قنبلة|متفجرات|أسلحة|bomba|esplosiv|explosieven|бомб|взрывчат|bomb[ęy]|patlayici',
      ),
    ],
    unless: beginnings(
      'dispos|defus|clear(?:ance|ing)|deminin|safety|detect|history|museum|bath bomb|fire safety|incident report|toxicolog|police|forensic|desactiv|demin|entscharf|novel|fiction|bomb cyclone|recogni|prevent',
    ),
  },
  {
    task: 'transform',
    kind: 'unsafe',
    reason: 'Programs or tricks that break into other people’s computers and accounts are not built.',
    alternative: 'a model that sorts security alerts, or that answers your staff’s questions from your own security rules.',
    all: [
      beginnings(
        'malware|ransomware|keylogger|trojan|computer virus|botnet|exploit code|crack (?:password|into)|hack(?:s|ing)? (?:into|accounts|her|his|their|someone|people|the)|break into (?:accounts|computers|phones)|steal (?:password|credential|card|account)|bypass (?:the )?(?:login|password|two-factor|2fa|security)|hackear|piratear|robar contrasen|pirater|voler (?:des )?mots de passe|schadsoftware|passworter (?:knack|stehl|ausles)|hacken|invadir (?:conta|sistema)|roubar senha|kudukua|hakk|हैक|पासवर्ड चुरा|meretas|membobol|mencuri (?:kata sandi|password)|黑客|木马|盗号|病毒程序|اختراق|برمجيات خبيثة|rubare (?:password|le password)|взлом|wlamac|hackle',
      ),
    ],
    unless: beginnings(
      'detect|alert|triage|classif|sort|log(?:s|ged)?\\b|report|incident|ticket|defen|protect|awareness|phishing mails? (?:reported|forwarded)|clasific|einordn|warn|analys',
    ),
  },
  {
    task: 'classify',
    kind: 'unlawful',
    reason:
      'Picking or leaving out people for a job, a home, a loan or a service by their origin, faith, sex, health, family or politics is unlawful, and a model would hide it.',
    alternative:
      'a model that reads applications for the stated requirements alone (experience, certificates, availability) and says where each stands in the text.',
    all: [
      beginnings(
        'applicants?|candidates?|tenants?|renters?|borrowers?|hire|hiring|job|loan|rental|cvs?\\b|resumes?\\b|cover letters|insur|customers?|pupils|patients?|guests?|candidat|inquilino|solicitante|curricul|empleo|postulante|locataire|embauche|dossiers?|bewerb|mieter|kredit|lebenslauf|candidato|vaga|curriculo|waombaji|wapangaji|ajira|kazi\\b|उम्मीदवार|आवेदक|किराएदार|नौकरी|pelamar|calon (?:karyawan|penyewa|penghuni|nasabah)|penyewa|lamaran|应聘|求职|简历|租客|المتقدم|المرشح|مستأجر|inquilin|sollicitant|huurder|соискат|арендатор|kandydat|basvuran|kiraci',
      ),
      beginnings(
        'pregnan|want(?:s)? (?:a )?bab(?:y|ies)|have (?:a )?bab(?:y|ies)|kids soon|union (?:types?|members?|people)|ethnic|relig|race\\b|racial|black\\b|muslims?|jew(?:s|ish)|christian|hindu|religio|gyps|roma\\b|immigra|foreign(?:er|-sounding)|accent|skin colo|disab(?:led|ilit)|gay\\b|lesbian|sexual|sexuality|hiv|too old|over (?:forty|fifty|40|45|50|55)|nationality|caste|embaraz|gitan|musulman|judi|inmigrant|extranjer|raza|etnia|discapac|enceinte|arabe|musulman|juif|etranger|origine|syndiqu|schwanger|auslander|muslim|jud(?:en|isch)|behinder|herkunft|gewerkschaft|gravid|negr[oa]s|estrangeir|deficient|sindical|wajawazito|mjamzito|kabila|dini|wahamiaji|walemavu|गर्भवती|जाति|मुस्लिम|मुसलमान|दलित|धर्म|विकलांग|hamil|suku\\b|agama|ras\\b|difabel|keturunan|cina\\b|怀孕|民族|宗教|籍贯|已婚未育|残疾|حامل|ديانة|عرق|جنسية|incinta|stranier|musulman|zwanger|moslim|afkomst|беремен|национальн|мусульман|ciaz|muzulman|hamile',
      ),
      beginnings(
        'skip|reject|exclu|weed|leave (?:them )?out|filter(?:ed)? (?:them )?out|avoid|turn (?:them )?(?:down|away)|don t (?:want|rent|hire|lend)|no (?:muslims|foreigners|kids)|refuse|drop (?:them)?|quietly|bottom of the pile|score (?:them )?(?:low|lower|down)|sort (?:them )?out|keep (?:them )?out|spot (?:the|who)|mark|flag|screen|descart|rechaz|evitar|eliminar|filtrar|quitar|ecart|rejet|elimin|eviter|refuser|filtr|aussortier|ablehn|aussieb|vermeid|raus|descart|rejeit|elimin|evitar|excluir|kuwakataa|tuwaondoe|ondoa|kataa|waepuk|हटा|छाँट|अलग कर|मना|न रख|tolak|singkir|hindari|buang|coret|saring|剔除|排除|筛掉|不要|淘汰|استبعاد|رفض|نستبعد|scart|escluder|weiger|afwijz|uitsluit|отсе|исключ|отказ|odrzu|eleme|ele\\b',
      ),
    ],
    unless: beginnings(
      'against discriminat|discrimination (?:complaint|case|law)|equality (?:officer|duty|body)|accessib|survey|research|anti-discriminat|quotas? report|lawyer for|we represent',
    ),
  },
  {
    task: 'classify',
    kind: 'unlawful',
    reason:
      'Finding out from what people write whom they love, what they believe, whether they expect a child or are ill, to act on it, is unlawful and harms them.',
    alternative: 'a model that sorts what people write by subject without naming anyone, or one that answers staff questions about their rights.',
    all: [
      beginnings(
        `(?:who|which (?:\\p{L}+ ){1,3}|whether (?:someone|a person|they|he|she)) (?:is|are|might be|may be|could be|s) (?:\\p{L}+ ){0,2}(?:${intimate})|quien(?:es)? (?:es|son) (?:\\p{L}+ )?(?:${intimate})|qui (?:est|sont) (?:\\p{L}+ )?(?:${intimate})|wer (?:\\p{L}+ ){0,4}(?:${intimate})|quem (?:e|sao) (?:\\p{L}+ )?(?:${intimate})|nani (?:ni )?(?:${intimate})|कौन (?:${intimate})|siapa (?:yang |saja )?(?:${intimate})`,
      ),
      beginnings(
        'keep an eye|watch (?:them|him|her)|monitor|get rid|fire\\b|sack|dismiss|transfer them|let (?:them )?go|a list of|list them|report them|out them|expose|deal with|before (?:they|he|she)|vigil|despedir|echar|denunciar|surveiller|virer|licencier|denoncer|im auge|kundig|entlass|melden|vigiar|demitir|denunciar|kuwafuatilia|tuwafukuze|kuwafukuza|नज़र|नजर|निकाल दें|निकाल सक|awasi|mengawasi|pecat|memecat|laporkan',
      ),
    ],
    unless: beginnings('support group|researchers?|survey|anti-discriminat|midwi|clinic|patients?\\b|antenatal'),
  },
  {
    task: 'answer',
    kind: 'unlawful',
    reason: 'A model made to hide money, evade the law or cheat in an examination is not built.',
    alternative: 'a model that answers from the official rules and says where each answer stands.',
    all: [
      beginnings(
        'launder|evade (?:tax|customs|sanction)|tax evasion|hide (?:income|money|profits|assets) from|(?:under|fake) invoic|smuggl|bribe|cook the books|vote[- ]buying|buy votes|suppress vot|ghostwrit(?:e|es|ing) (?:\\p{L}+ ){0,2}(?:essays?|thes[ei]s|exams?|assignments?|dissertations?)|(?:lecturer|teacher|professor|examiner|checker|school|university)s? (?:\\p{L}+ )?(?:can t|cannot|won t) (?:tell|notice|see|detect)|exam answers during|cheat (?:in|on|during|at)|undetectable by (?:turnitin|plagiarism|the school)|get (?:past|around) (?:turnitin|plagiarism|the inspector|customs)|blanquear|lavar dinero|evadir (?:impuesto|al fisco)|sobornar|contraband|copiar en el examen|blanchir|frauder|fraude fiscale|tricher|schwarzgeld|geldwasch|steuer(?:n)? hinterzieh|schmuggel|bestech|lavar dinheiro|sonegar|colar na prova|kukwepa kodi|hongo|rushwa kwa|magendo|टैक्स चोरी|रिश्वत देने|नकल कर|तस्करी|menghindari pajak secara|pencucian uang|menyuap|menyelundup|menyontek|洗钱|偷税|逃税|作弊|走私|غسل الأموال|تهرب ضريبي|رشوة|riciclar|evadere|отмыва|уклон|pranie pieniedzy',
      ),
    ],
    unless: beginnings(
      'detect|spot|flag|prevent|compliance|anti-|investigat|train(?:ing)? (?:staff|officers)|report|suspicious|inspect|audit|prosecut|rules? (?:on|about)|policy|detectar|erkenn|prevenir|mengawasi|inspector|customs officer',
    ),
  },
  {
    task: 'transform',
    kind: 'unsafe',
    reason: 'A model that insults, threatens or hounds people, or that talks someone into harming themselves, is not built.',
    alternative: 'a model that recognises such messages, so that someone can step in.',
    all: [
      beginnings(
        '(?:write|send|generate|make|produce)s? (?:\\p{L}+ ){0,4}(?:threat|insult|hate|abus|harass|bully)|blackmail|extort|harass (?:her|him|them|my)|intimidat|groom(?:ing)? (?:children|girls|boys|minors)|sexual (?:content|images|texts) (?:of|about|with) (?:children|minors)|encourage (?:suicide|self-harm|anorexia)|chantaj|amenaz(?:ar|as) a|acosar|menacer|harceler|chantage|erpress|bedroh(?:en|ung).{0,20}schreib|chantag|ameacar|kutishia|ब्लैकमेल|धमकी (?:देने|भरे)|memeras|mengancam|勒索|恐吓|ابتزاز|تهديد|ricatt|minacciare|chanter|bedreig|шантаж|угрож|szantaz|santaj',
      ),
    ],
    unless: defence,
  },
  {
    task: 'answer',
    kind: 'impossible',
    reason: 'Nobody can read the future of a draw, a price or a match out of texts: a model would only sound as if it could.',
    alternative: 'a model that answers questions about the rules and the past figures from your documents, or one that sorts the news you read by topic.',
    all: [
      beginnings(
        'come(?:s)? (?:up )?next|next (?:draw|numbers|saturday)|which (?:\\p{L}+ )?numbers|predict|forecast|foresee|tell me (?:which|what|who|when|tomorrow|next)|next (?:week|month|saturday|friday|draw|race|year|one)|tomorrow|will (?:win|rise|fall|go up|go down|drop|come up)|winning|give me (?:the )?(?:next|number|tip)|beat the (?:bookies|market|house)|before it (?:happens|strikes)|predec|predig|adivin|pronostic|proxim|manana|ganador|va a (?:subir|ganar|salir|caer)|predi[rst]|prevoi|prochain|demain|gagnant|vorhersag|vorhersehen|prognos|nachste|morgen|gewinn|preve[rj]|proxim|amanha|sorteado|vencedor|tabiri|utabiri|kesho|ijayo|itakayo|ushindi|भविष्य|कल\\b|अगले|अगली|जीत|भविष्यवाणी|prediksi|ramal|tebak|besok|minggu depan|akan (?:naik|keluar|menang|turun)|预测|下期|明天|下周|توقع|تنبؤ|الغد|القادم|prevede|prossim|domani|voorspel|volgende|morgen|предсказ|прогноз|завтра|следующ|przewid|jutro|tahmin|yarin',
      ),
      beginnings(
        'lotter|lotto|jackpot|draws?\\b|winning numbers|(?:six|five|seven) numbers|roulette|slot machine|horse (?:race|racing)|race winner|winning horse|betting|bookie|sports? bet|match (?:result|winner)s?|share price|stock (?:price|market)|stocks?\\b (?:will|to|go|rise)|shares? (?:will|to buy|go up)|bitcoin|crypto|exchange rate|forex|earthquakes? (?:before|will|predict|in advance)|date of (?:my|their) death|when (?:i|they|someone) (?:will )?die|loteria|quiniela|ruleta|la bolsa|acciones|apuestas|terremoto|loterie|loto\\b|bourse|tierce|cours de|paris sportif|lottozahlen|aktien(?:kurs)?|borse|pferderenn|mega-?sena|jogo do bicho|bolsa de valores|acoes|apostas|bahati nasibu|bahati na sibu|hisa\\b|kamari|mikeka|लॉटरी|सट्टा|शेयर|बिटकॉइन|भूकंप|togel|lotre|saham|taruhan|gempa|彩票|双色球|股票|股价|比特币|اليانصيب|أسهم|البورصة|الزلازل|lotto|borsa|azioni|scommess|loterij|beurs|aandelen|лотере|акци[ий]|бирж|курс|loteri|gielda|piyango|borsa|hisse',
      ),
    ],
    unless: beginnings(
      'summar|classif|sort|news|complaint|rules|reports? (?:to|into|about)|translat|explain|resum|answer questions about|minutes|filing|annual report',
    ),
  },
  {
    task: 'classify',
    kind: 'impossible',
    reason: 'These models read and write text; they neither see pictures nor hear sound nor draw.',
    alternative: 'a model for the texts around them: descriptions, captions, reports or transcripts.',
    all: [
      beginnings(
        'diagnos\\p{L}* (?:\\p{L}+ ){0,5}from (?:\\p{L}+ ){0,2}(?:photos?|pictures?|images?|selfies?)|(?:look|looks|looking|watch|watches|watching) (?:at |through )?(?:our |the |my )?(?:cctv|security camera|surveillance|camera|webcam|dashcam)|(?:from|on|in) (?:the |our )?(?:cctv|security camera|surveillance (?:video|footage))|videovigilancia|videosurveillance|uberwachungskamera|câmeras? de segurança|kamera za (?:usalama|cctv)|सीसीटीवी|监控(?:录像|视频)|防犯カメラ|draw (?:me |a |the |pictures|images)|paint (?:me|a|the) |(?:generate|create|make|produce|design)s? (?:\\p{L}+ ){0,4}(?:images?|pictures?|photos?|logos?|illustrations?|videos?|posters?|music|songs? (?:audio|recording)|voices?|deepfakes?)\\b|(?:recogni[sz]e|look at|looks at|read|see|sees|judge|diagnose|tell|count|identify|spot)s? (?:\\p{L}+ ){0,6}(?:in|from|on) (?:a |the |these |my |their |our )?(?:photos?|photographs?|pictures?|images?|x-rays?|scans? of|camera|video|footage|satellite)\\b|(?:photos?|pictures?|images?|x-rays?|selfies?) (?:in|go in|of (?:a |the |their |his |her )?(?:mole|skin|plant|leaf|leaves|rash|wound|face|crop|animal|bird|insect|mushroom|car|roof))|from (?:a |the |their |its )?(?:photo|picture|selfie|x-ray|camera|image)\\b|listen(?:s)? to (?:the )?(?:record|call|audio|engine|heart|birdsong|sound)|(?:from|in) the (?:sound|audio|recording)s? (?:of|itself)|face recognition|facial|clone (?:my|his|her|a) voice|dibuj(?:e|ar|a) |genera\\w* (?:una |las )?(?:imagen|imagenes|fotos?|logos?)|(?:en|de|a partir de|con|por) (?:la |las |una |sus )?(?:fotos?|fotografias?|imagenes|radiografias?)|(?:sur|depuis|a partir d[eu]|d apres) (?:la |les |une |des |leurs )?(?:photos?|images?|radios|radiographies)|dessin(?:e|er) (?:un|une|des|moi)|(?:auf|aus|von|anhand von|anhand der) (?:den |dem |einem |meinen |)?(?:fotos?|bildern?|rontgenbild\\p{L}*)|zeichne[nt]? |bilder (?:erzeug|generier|mal)|(?:pela|pelas|da|das|de|na|nas|a partir da) fotos?|desenh(?:e|ar|a) |ger(?:e|ar) (?:imagens|um logo)|kutoka (?:kwa )?picha|kwenye picha|chora|picha za|फोटो (?:से|देख)|तस्वीर (?:से|देख|बना)|चित्र बना|dari foto|foto (?:daun|kulit|wajah|luka|tanaman|rontgen)|menggambar|gambar(?:kan)? (?:logo|wajah)|buat(?:kan)? (?:gambar|logo|video)|看图|照片|图片|画一|生成图|من الصور|صورة|ارسم|dalle? foto|disegn|van (?:een )?foto|op foto|по фото|фотограф|нарису|ze zdjec|na zdjeciu|narysuj|fotograftan|resim(?:den|ler)',
      ),
    ],
    unless: beginnings(
      'receipts?\\b|invoices?|notebooks?|handwrit|hand-writ|pages\\b|ledgers?|recibos?|facturas?|factures|manuscri|quittung|rechnung|handschrift|stakabadhi|रसीद|struk|kwitansi|nota |发票|手写|فواتير|captions?\\b|describ(?:e|es|ed) in (?:words|writing)|alt text|caption|report(?:s)? (?:text|written)|scanned (?:pages|letters|documents|forms)|transcri|typed|text of the|archive descriptions|radiology reports?|pie de foto|legende|photo agency|photographer|fotograf[oa]? (?:profesional|de bodas)|questions about|listing text',
    ),
  },
  {
    task: 'answer',
    kind: 'impossible',
    reason: 'A model cannot know what is happening at this moment, or act in the world: it answers from what it was given.',
    alternative: 'a model that answers from documents you hand over and renew, and says their date.',
    all: [
      beginnings(
        'read (?:my|their|people s|his|her) (?:mind|thoughts)|(?:knows?|tells?) (?:me )?what (?:they|people|she|he) (?:are|is) (?:really )?thinking|talk(?:s)? to (?:the dead|spirits)|speak(?:s)? with (?:my late|the dead)|(?:drive|fly|steer|pilot)s? (?:the|my|our|a) (?:car|tractor|drone|ship|plane|truck)|(?:always|100 ?%|hundred per ?cent|never ever) (?:right|correct|wrong|certain|accurate|true)|guarantee(?:d|s)? (?:correct|right|to be (?:right|correct|true)|no (?:error|mistake))|whether (?:someone|a person|a witness|he|she|they) (?:is|are) lying from|lie detector|horoscope that comes true|leer la mente|hablar con los muertos|gedanken lesen|lire dans les pensees|ler (?:a mente|pensamentos)|kusoma mawazo|मन की बात पढ़|membaca pikiran|读心|قراءة الأفكار',
      ),
    ],
  },
]

/** The reason not to build this, or null. The kinder readings come first: one sign alone is never enough. */
export function declineOf(words: string): { decline: Decline; task: Task } | null {
  const text = plain(words)
  for (const { all, unless, task, ...decline } of rules) if (all.every((sign) => sign.test(text)) && !unless?.test(text)) return { decline, task }
  return null
}
