/**
 * Which trees may be rendered in one go. Nothing of nodemailer is imported here, and other versions
 * may render in other ways: so its encoders are taken from a tree that it renders itself, and are
 * used once the same tree, rendered here, has come out the same.
 *
 * @module
 */
import { type Bypassed, type EncoderClass, type Encoders, isAtHand, renderAtHand } from "./at-hand";
import type { RenderBounds } from "./bounds";
import { renderPlain } from "./render";
import type { MimeNode } from "./shapes";

const bounds: RenderBounds = { bytes: 1_000_000, pieces: 1_000, signal: undefined };

/** Knows the messages of one transporter, which are all of one class. */
export class Shortcut {
  #prototype: MimeNode | undefined;
  /** As the class had them when it was looked at: one changed since then is nodemailer's to call. */
  #methods: Bypassed | undefined;
  #encoders: Encoders | undefined;

  /** The encoders to render this tree with; none where it has to be left to nodemailer. */
  of(message: MimeNode): Encoders | undefined {
    const prototype: MimeNode = Object.getPrototypeOf(message);
    if (!this.#prototype) {
      this.#prototype = prototype;
      const { stream, createReadStream, _getStream, _takeStreamContent } = prototype;
      this.#methods = { stream, createReadStream, _getStream, _takeStreamContent };
      // Mails that come before it is proven, or where it is not, are rendered by nodemailer itself.
      this.#prove(prototype, this.#methods).catch(() => {});
    }
    if (!this.#encoders || !this.#methods || prototype !== this.#prototype) return undefined;
    return isAtHand(message, this.#methods) ? this.#encoders : undefined;
  }

  async #prove(prototype: MimeNode, methods: Bypassed): Promise<void> {
    const tree = probeTree(prototype.constructor as NodeClass);
    const piped: object[] = [];
    const theirs = await renderPlain(tree, bounds, (stream) => piped.push(stream));
    const [first, second] = piped.map((stream) => stream.constructor as EncoderClass);
    if (!first || !second) return;
    const encoders: Encoders = new Map([
      ["quoted-printable", first],
      ["base64", second],
    ]);
    if (isAtHand(tree, methods) && renderAtHand(tree, encoders, bounds).equals(theirs)) this.#encoders = encoders;
  }
}

type NodeClass = new (type: string) => MimeNode;

/** A tree with every kind of part, and contents on which encoders differ. Its first two parts are encoded. */
function probeTree(Node: NodeClass): MimeNode {
  const root = new Node("multipart/mixed");
  const add = (parent: MimeNode, type: string, content?: string | Buffer, options = {}): MimeNode => {
    const node = parent.createChild?.(type, options) as MimeNode;
    if (content !== undefined) node.setContent?.(content);
    return node;
  };
  const words = "Gr\u00fc\u00dfe \u{1f4e6} = a word and another. ".repeat(20);
  const lines = `${words}\t \r\n.dot\nlone\rend \r\n${"x".repeat(200)}\u00e9${"\u{1f4e6}".repeat(90)}`;
  add(root, "text/html", lines);
  add(root, "application/octet-stream", Buffer.from(Array.from({ length: 500 }, (_, index) => index % 256)));
  const inner = add(root, "multipart/alternative");
  add(inner, "text/plain", "plain\r\n.dot\n");
  add(inner, "text/plain", "");
  add(inner, "text/x-amp-html", Buffer.from(`${lines} `));
  add(root, "application/x-probe", "a\nb\rc\r\n \r", { filename: "pr\u00f6be.bin" }).setHeader?.(
    "Content-Transfer-Encoding",
    "quoted-printable",
  );
  add(root, "message/rfc822").setRaw?.("Subject: raw\r\n\r\nbody");
  return root;
}
