/** All rows, in the order of the table. */
import type { Row } from "../row";
import { espRow } from "./esp";
import { guardRows } from "./guard";
import { importRow } from "./imports";
import { memoryRow } from "./memory";
import { addressRows } from "./parse";
import { planRows } from "./plan";
import { postgresRows } from "./postgres";
import { redisRows } from "./redis";
import { sqliteRows } from "./sqlite";

const [distinct, ...redis] = [...redisRows].reverse();
const [ledger, ...sqlite] = [...sqliteRows].reverse();

export const rows: readonly Row[] = [
  ...guardRows,
  espRow,
  ...redis.reverse(),
  ...postgresRows,
  ...sqlite,
  ...(distinct ? [distinct] : []),
  ...planRows,
  ...addressRows,
  ...(ledger ? [ledger] : []),
  memoryRow,
  importRow,
];
