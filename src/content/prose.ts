/**
 * Tells mail that writes about programs from mail that a program wrote wrongly: `null` in a
 * newsletter for developers is a word, in a renewal notice it is a missing date.
 *
 * @module
 */

// Words that mail to customers does not use in another sense. "value", "property", "returns",
// "query" and "field" are left out for that reason: shops, estate agents and forms use them.
const vocabulary =
  /\b(?:javascript|typescript|ecmascript|python|rust|kotlin|nullable|nullish|nullptr|pointers?|dereferenc\w{1,4}|variables?|parameters?|compiler|runtime|booleans?|stack ?trace|typeerror|referenceerror|nullpointerexception|exceptions?|sql|hypothesis|undefined behaviou?r|null and void|coalesc\w{1,6}|typeof|instanceof|falsy|truthy|linter|codebase|regex|refactor\w{0,4}|async|callbacks?|closures?|generics|operators?|syntax|null (?:checks?|values?|safety|byte|character|device|island|set|hypothesis|terminat\w{1,4}|object|reference)|returns? (?:null|undefined|nan)|non-?null|null-\w{4,12}|to (?:null|undefined) (?:if|when|or)|null or undefined|undefined or null|cannot read|is not (?:a function|defined)|handlebars|mustache|liquid|jinja|template (?:engine|language|literal|syntax)|placeholders?|merge tags?|interpolation)\b/gi;

/** How near a technical word makes a word technical, in characters. */
const near = 90;

/** Tells of one text whether it is about programs. The whole is counted once, when first asked. */
export class Prose {
  #whole: boolean | undefined;

  constructor(readonly text: string) {}

  /** Whether the words around these characters, or the text as a whole, are about programs. */
  technical(from: number, to: number): boolean {
    vocabulary.lastIndex = 0;
    if (vocabulary.test(this.text.slice(Math.max(0, from - near), to + near))) return true;
    this.#whole ??= distinct(this.text) >= 3;
    return this.#whole;
  }
}

function distinct(text: string): number {
  const words = new Set<string>();
  for (const [word] of text.matchAll(vocabulary)) {
    words.add(word.toLowerCase());
    if (words.size >= 3) break;
  }
  return words.size;
}
