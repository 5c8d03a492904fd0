/**
 * A line that is about no single mail: halts, plans, management calls. Apart from the lines of mails, since a halt must
 * not have to wait for what those need.
 *
 * @module
 */

/** The format's version, in every event. */
export const eventVersion = 1;

export function actionEvent(type: string, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ v: eventVersion, type, ...fields });
}
