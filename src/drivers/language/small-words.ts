/**
 * The most frequent small words of some languages, as data. Knows nothing of what they are used for.
 */

/** Frequent small words: they tell a language in a short text, and say nothing in a name. */
export const smallWords: Record<string, string> = {
  en: 'the a an of to and in is it i you that for on with my we our are this from be at or by as they their which what say says tell me when not do does so where each it if have has',
  es: 'el la los las de que y en un una es por con para mi se lo del al me mis su como si no qué quiero nuestra nuestros esta este son',
  fr: "le la les des de du et en un une est je que qui pour dans sur nous vous mes mon notre nos il elle ce cette au aux pas avec plus j'aimerais sont ou",
  de: 'der die das und ich ist ein eine einen zu von mit für den dem nicht wir sie es auf aus im soll unsere meine oder wenn sind welche bitte',
  pt: 'o a os as de do da e em um uma é que para com meu minha não se por na no nos das dos eu quero preciso cada são ou você',
  sw: 'na ya wa kwa ni za la katika hii hizi yangu wangu mimi kama gani nataka kutoka au cha vya lakini hiyo useme inahusu yetu kila hayo',
  hi: 'है हैं और का की के में को से यह पर मैं कि ने एक हो हर या भी मेरे हमारे नहीं करना किस',
  id: 'yang dan di dari untuk saya ini itu dengan pada adalah ke tidak kami atau apa tolong belum boleh bisa sebuah setiap mereka kalau',
}
