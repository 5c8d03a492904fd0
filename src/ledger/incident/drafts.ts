/**
 * Drafts for the people who have to act: the help desk first, the status page next, the mail last.
 * What only the application knows stands in `{{…}}`: a mail that still has one is refused by the
 * content lint, so that no draft leaves as it is.
 *
 * @module
 */
import type { IncidentData, IncidentDrafts } from "../incident";

/** What the drafts are made from. */
export type DraftInput = Pick<IncidentData, "purpose" | "people" | "firstSend" | "lastSend" | "stop" | "waiting">;

/** Writes them. */
export function writeDrafts(data: DraftInput): IncidentDrafts {
  return { helpDesk: helpDesk(data), statusPage: statusPage(data), mail: mail() };
}

function helpDesk(data: DraftInput): string {
  const { purpose, people, stop, waiting } = data;
  const wrong = people.wrongly;
  return lines([
    `For the help desk: a mail of the purpose "${purpose}" went out by mistake.`,
    "",
    `When: ${span(data)}.`,
    `Who has it: ${count(people.accepted)}. Who may have it, since no answer came for their mail: ${count(people.unknown)}.`,
    wrong === undefined
      ? "For how many of them it was wrong is not known yet: {{for whom it was right}}"
      : `For ${count(wrong)} it was wrong, for ${count(people.rightly ?? 0)} it was right.`,
    people.undecided > 0 ? `About ${count(people.undecided)} nobody can say.` : undefined,
    stop ? `What ended it: ${stop.what}` : "It is NOT known to be over: stop it first, with `npx mailfuse halt`.",
    waiting.length > 0 ? `${waiting.length} of its plans can still send; they need a decision.` : undefined,
    "",
    "What to say: {{what the mail said}} was sent by mistake. {{what is true}} Nobody has to do anything: {{or what they have to do}}",
    "What not to say: that everybody got it, or that nobody did. Ask for the address, and have it looked up with `incident.fateOf(address)`.",
    "What comes next: a correction goes to exactly these people, slowly. Until then, a note stands on the status page.",
  ]);
}

function statusPage(data: DraftInput): string {
  const { people } = data;
  const reached = people.wrongly ?? people.accepted + people.unknown;
  return lines([
    "{{title: a mail was sent by mistake}}",
    "",
    `On ${day(data.firstSend)} we sent a mail about {{what it said}} to ${reached} people for whom it was not meant.`,
    "It was our mistake. {{what is true}}",
    "If you got it, you do not have to do anything. {{or what to do}}",
    "We are writing to everybody concerned. If you did not get that mail, nothing has changed for you.",
    "",
    `Ended: ${data.stop ? time(data.stop.at) : "{{when it was stopped}}"}. Next word: {{when}}.`,
  ]);
}

function mail(): IncidentDrafts["mail"] {
  const rest = [
    "",
    "That was our mistake, and it was not meant for you. {{what is true}}",
    "You do not have to do anything. {{or what to do}}",
    "",
    "We are sorry. {{who signs, and where to ask}}",
  ];
  return {
    subject: "Correction: {{the subject of the wrong mail}}",
    text: lines(["On {{day}} you got a mail from us about {{what it said}}.", ...rest]),
    mayHaveText: lines([
      "On {{day}} you may have received a mail from us about {{what it said}}. If you did not, please ignore this one.",
      ...rest,
    ]),
  };
}

function span({ firstSend, lastSend }: DraftInput): string {
  if (firstSend === undefined || lastSend === undefined) return "nothing was sent";
  return firstSend === lastSend ? time(firstSend) : `${time(firstSend)} to ${time(lastSend)}`;
}

/** A time, as reports write it. */
export function time(at: number): string {
  return `${new Date(at).toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

function day(at: number | undefined): string {
  return at === undefined ? "{{day}}" : new Date(at).toISOString().slice(0, 10);
}

function count(people: number): string {
  return people === 1 ? "1 person" : `${people} people`;
}

function lines(all: readonly (string | undefined)[]): string {
  return all.filter((line): line is string => line !== undefined).join("\n");
}
