/**
 * Test fixtures: the "Integration Test Email #1" that reached a part of the customers.
 *
 * @module
 */
import { isExampleHost } from "./hosts";
import type { Finding, Places } from "./places";

// Only what no one writes to customers. "Test:" begins many an article's title, "TEST:" does not.
const inSubject = [
  /[[(](?:test|testing|staging|stage|dev|development|uat|qa|preprod|dummy|debug|do not send)[\])]/i,
  /^\W{0,5}(?:re: |fwd: )?(?:test|testing|test test|asdf\w{0,10}|foo|foo ?bar|dummy|untitled|subject)[\s\d#!.:-]{0,20}$/i,
  /^\W{0,5}TEST(?:ING)?\s{0,3}[:–-]/,
];
// Every phrase has one of them.
const sign = /test|lorem|dolor |insert |goes here/i;
const phrases =
  /\b(?:integration|unit|e2e|end-to-end|smoke|load|automated|system|qa) test (?:e-?mail|message|mail)\b|\btest (?:e-?mail|message|mail) (?:#?\d|please ignore|from)|\bthis is (?:just |only )?an? (?:automated |integration )?test(?: (?:e-?mail|message|mail))?(?:[.!,]|\s{0,3}$)|\bthis is (?:just |only )?a test (?:e-?mail|message|mail)\b|\bused (?:by|for|in) (?:integration|unit|automated|e2e) tests?\b|\blorem ipsum\b|\bdolor sit amet\b|\bplease ignore this test\b|\[?\binsert (?:your )?(?:text|name|copy|content|link) here\b|\byour (?:text|copy|headline) goes here\b/i;
const subjectPhrases = /\btest[ -]?(?:e-?mail|mail)\b|\btest message\b/i;

/** Looks for test fixtures in words and in links. */
export function findFixtures(places: Places, hosts: ReadonlySet<string>): Finding | undefined {
  const { subject } = places;
  if (subject !== undefined && (inSubject.some((one) => one.test(subject)) || subjectPhrases.test(subject)))
    return { got: "the subject of a test", part: "subject" };
  for (const { text, name, part } of places.texts) {
    if (sign.test(text) && phrases.test(text)) return { got: `a phrase of tests or filler text in ${name}`, part };
  }
  for (const host of hosts) {
    if (isExampleHost(host)) return { got: "a link or picture on a host that is for examples only" };
  }
  return undefined;
}
