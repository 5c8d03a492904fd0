/** The points of a release at which a process may die, in the order in which a mail passes them. */

/** In the process itself, around a step of the store or of the application. */
export const ownPoints = [
  "before-begin",
  "after-begin",
  "before-claim",
  "after-claim",
  "before-reserve",
  "after-reserve",
  "before-settle",
  "after-settle",
  "before-told",
  "after-told",
  "after-mark",
  "before-close",
  "after-close",
] as const;

/** At the mail server, which sees them from outside: the process is killed before it hears the answer. */
export const serverPoints = ["connect", "mail", "data", "after-250"] as const;

export type OwnPoint = (typeof ownPoints)[number];
export type ServerPoint = (typeof serverPoints)[number];
export type Point = OwnPoint | ServerPoint;

export const points: readonly Point[] = [...ownPoints.slice(0, 6), ...serverPoints, ...ownPoints.slice(6)];

/** Points that a release passes once, however many mails it has. */
export const oncePerRelease: ReadonlySet<Point> = new Set([
  "before-begin",
  "after-begin",
  "before-close",
  "after-close",
]);
