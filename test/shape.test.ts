import { expect, test } from "vitest";
import {
  byKey,
  either,
  list,
  mistakesIn,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
  whole,
} from "../src/shape";

const name = text("a name", (value) => value !== "", "a name that is not empty");
const cap = object({ people: whole("a number", 1), per: optional(name) }, "a cap", {
  expected: "a cap that fits",
  holds: ({ people }) => people !== 13,
});
const said = (shape: Shape, value: unknown) =>
  mistakesIn(shape, value).map(({ path, expected }) => `${path.join(".")}: ${expected}`);

test.each<[string, Shape, unknown, string[]]>([
  ["what fits", cap, { people: 3, per: "hour" }, []],
  ["a key left out, or undefined", cap, { people: 3, per: undefined }, []],
  ["a key that has to be there", cap, {}, ["people: a number"]],
  [
    "every mistake at once",
    cap,
    { people: 0, per: 1, more: 1 },
    ["people: a number", "per: a name", "more: a known key"],
  ],
  [
    "an inherited key that nobody knows",
    cap,
    Object.create({ per: "x", more: 1 }, { people: { value: 1 } }),
    ["more: a known key"],
  ],
  ["a key of every object", cap, JSON.parse('{"people":1,"__proto__":1}'), ["__proto__: a known key"]],
  ["a rule", cap, { people: 13 }, [": a cap that fits"]],
  ["no object", cap, [], [": a cap"]],
  ["nothing", cap, null, [": a cap"]],
  ["a list with a hole", list(name, "names"), Object.assign(Array(2), { 1: "a" }), ["0: a name"]],
  ["a list that is too short", list(name, "names", 1), [], [": names"]],
  ["a text that does not fit", name, "", [": a name that is not empty"]],
  ["a number that is none", whole("a number", 0), Number.NaN, [": a number"]],
  ["half a number", whole("a number", 0), 0.5, [": a number"]],
  ["a number beyond its end", whole("a number", 0, 9), 10, [": a number"]],
  ["neither of two", either([name, cap], "a name or a cap"), 5, [": a name or a cap"]],
  ["the one that was meant", either([oneOf(["all"], "all"), cap], "all or a cap"), { people: 0 }, ["people: a number"]],
  ["any that holds", either([text("a", () => false), name], "a name"), "b", []],
  ["a record's key", record(name, cap, "caps"), { "": { people: 1 } }, [": a name that is not empty"]],
  ["a record's value", record(name, cap, "caps"), { a: { people: 0 } }, ["a.people: a number"]],
  ["a record of another class", record(name, cap, "caps"), new Map(), [": caps"]],
  ["an unknown kind", byKey("kind", { cap }, "a kind"), { kind: "constructor" }, ["kind: a kind"]],
  ["a known kind", byKey("kind", { cap }, "a kind"), { kind: "cap", people: 1 }, ["kind: a known key"]],
])("%s", (_name, shape, value, mistakes) => {
  expect(said(shape, value)).toEqual(mistakes);
});

test("a misspelt key comes with the known ones", () => {
  expect(mistakesIn(cap, { people: 1, pre: "hour" })[0]?.known).toEqual(["people", "per"]);
});
