/** What the fuse adds to a send: around nothing, around rendering, around SMTP. */

import type { SendContext } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { createTransport } from "nodemailer";
import { benchFuse, contextOf, everydayFuse } from "../fuse";
import { from, html, personOf, subject, text } from "../mail";
import { atOnce, inTurns, median, readable, summary } from "../measure";
import { noopAdapter, noopClient } from "../noop";
import type { Row } from "../row";
import { startSink } from "../sink";

/** Sends go through `fuse.run`, as a shop's do that names its purpose; the people change with each. */
function numbered(send: (index: number) => Promise<unknown>) {
  let index = 0;
  return async (times: number) => {
    for (let count = 0; count < times; count++) await send(index++);
  };
}

const guardNoop: Row = {
  id: "guard-noop",
  what: "guarded send of a 2.7 kB mail, every guard on, memory store, ledger; around a client that does nothing",
  unit: "us",
  target: { is: "<=", value: 10 },
  async measure(effort) {
    const run = async (
      mail: { text?: string; html?: string },
      fuse = benchFuse(),
      context: (index: number, to: string) => SendContext = contextOf,
    ) => {
      const bare = noopClient();
      const client = noopClient();
      fuse.attach(client, noopAdapter());
      const rounds = await inTurns(
        effort,
        8_000,
        numbered((index) => {
          const to = personOf(index);
          return fuse.run(context(index, to), () => client.send({ to, subject, ...mail }));
        }),
        numbered((index) => bare.send({ to: personOf(index), subject, ...mail })),
      );
      await fuse.close();
      return rounds;
    };
    const rounds = await run({ text, html });
    const line = { text: "Your code is 482913." };
    const small = await run(line);
    const plain = await run(line, everydayFuse(), () => ({ purpose: "receipt" }));
    const added = (list: typeof rounds) => list.map(({ ours, theirs }) => ours.cpu - theirs.cpu);
    return {
      ...summary(added(rounds)),
      peer: `bare ${readable(median(rounds.map(({ theirs }) => theirs.cpu)))} us`,
      note: `${readable(median(added(small)))} us around a mail of one line: the rest is reading 2.7 kB of text and HTML; ${readable(median(added(plain)))} us where its purpose declares a cap and nothing else`,
    };
  },
};

const guardStream: Row = {
  id: "guard-stream",
  what: "around nodemailer's stream transport with buffer, 2.7 kB; rendering once is part of both",
  unit: "%",
  target: { is: "<=", value: 4 },
  async measure(effort) {
    const open = () => createTransport({ streamTransport: true, buffer: true });
    const bare = open();
    const client = open();
    const fuse = benchFuse();
    fuse.attach(client, nodemailerAdapter());
    const mail = (index: number) => ({ from, to: personOf(index), subject, text, html });
    const rounds = await inTurns(
      effort,
      1_000,
      numbered((index) => fuse.run(contextOf(index, personOf(index)), () => client.sendMail(mail(index)))),
      numbered((index) => bare.sendMail(mail(index))),
    );
    await fuse.close();
    return {
      ...summary(rounds.map(({ ours, theirs }) => (ours.cpu / theirs.cpu - 1) * 100)),
      peer: `nodemailer alone ${readable(median(rounds.map(({ theirs }) => theirs.cpu)))} us`,
    };
  },
};

const guardSmtp: Row = {
  id: "guard-smtp",
  what: "around pooled SMTP on loopback, 20 connections: mails a second that are lost",
  unit: "%",
  target: { is: "<=", value: 2 },
  async measure(effort) {
    const sink = await startSink("smtp");
    const open = () =>
      createTransport({
        host: "127.0.0.1",
        port: sink.port,
        ignoreTLS: true,
        pool: true,
        maxConnections: 20,
        maxMessages: Number.POSITIVE_INFINITY,
      });
    const bare = open();
    const client = open();
    const fuse = benchFuse();
    fuse.attach(client, nodemailerAdapter());
    let index = 0;
    const mail = (at: number) => ({ from, to: personOf(at), subject, text, html });
    const rounds = await inTurns(
      effort,
      3_000,
      (times) =>
        atOnce(times, 20, () => {
          const at = index++;
          return fuse.run(contextOf(at, personOf(at)), () => client.sendMail(mail(at)));
        }),
      (times) => atOnce(times, 20, () => bare.sendMail(mail(index++))),
    );
    await fuse.close();
    bare.close();
    client.close();
    await sink.stop();
    return {
      ...summary(rounds.map(({ ours, theirs }) => (1 - theirs.wall / ours.wall) * 100)),
      peer: `nodemailer alone ${readable(1_000_000 / median(rounds.map(({ theirs }) => theirs.wall)))} mails/s`,
      note: `processor time of the sending process ${readable((median(rounds.map(({ ours, theirs }) => ours.cpu / theirs.cpu)) - 1) * 100)} % more`,
    };
  },
};

export const guardRows: readonly Row[] = [guardNoop, guardStream, guardSmtp];
