import net from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const socket = net.connect(workerData.port, "127.0.0.1");
socket.once("connect", () => parentPort?.postMessage("connected"));
socket.once("error", (/** @type {NodeJS.ErrnoException} */ error) => parentPort?.postMessage(error.code));
