/** A plot as SVG: lines over a logarithmic axis, readable on a light and on a dark page. */

/** `low` and `high`: where the middle half of the figures lies, drawn as a whisker. */
export type Point = readonly [x: number, y: number, low?: number, high?: number];

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

const size = { width: 720, height: 400, left: 64, right: 190, top: 44, bottom: 48 } as const;
const colours = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b"];

export function drawPlot({ title, x, y, lines }: Plot): string {
  const xs = lines.flatMap(({ points }) => points.map(([at]) => at));
  const most = niceTop(Math.max(...lines.flatMap(({ points }) => points.map(([, value, , high]) => high ?? value))));
  const [low, high] = [Math.log10(Math.min(...xs)), Math.log10(Math.max(...xs))];
  const right = size.width - size.right;
  const bottom = size.height - size.bottom;
  const atX = (value: number) =>
    size.left + ((Math.log10(value) - low) / Math.max(1e-9, high - low)) * (right - size.left);
  const atY = (value: number) => bottom - (value / most) * (bottom - size.top);
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12" fill="#777">`,
    `<title>${escaped(title)}</title>`,
    `<text x="${size.left}" y="22" font-size="14" font-weight="bold">${escaped(title)}</text>`,
  ];
  for (let step = 0; step <= 4; step++) {
    const value = (most * step) / 4;
    const height = atY(value).toFixed(1);
    out.push(
      `<line x1="${size.left}" y1="${height}" x2="${right}" y2="${height}" stroke="#999" stroke-opacity="0.3"/>`,
    );
    out.push(`<text x="${size.left - 8}" y="${Number(height) + 4}" text-anchor="end">${short(value)}</text>`);
  }
  for (let power = Math.ceil(low); power <= Math.floor(high + 1e-9); power++) {
    out.push(
      `<text x="${atX(10 ** power).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${short(10 ** power)}</text>`,
    );
  }
  out.push(`<text x="${(size.left + right) / 2}" y="${size.height - 8}" text-anchor="middle">${escaped(x)}</text>`);
  out.push(
    `<text transform="translate(16 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
  );
  for (const [index, { name, points }] of lines.entries()) {
    const colour = colours[index % colours.length];
    const path = points.map(([at, value]) => `${atX(at).toFixed(1)},${atY(value).toFixed(1)}`).join(" ");
    out.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [at, value, low, high] of points) {
      if (low !== undefined && high !== undefined)
        out.push(
          `<path d="M${atX(at).toFixed(1)},${atY(low).toFixed(1)}V${atY(high).toFixed(1)}" stroke="${colour}" stroke-opacity="0.5" stroke-width="5"/>`,
        );
      out.push(`<circle cx="${atX(at).toFixed(1)}" cy="${atY(value).toFixed(1)}" r="3" fill="${colour}"/>`);
    }
    const height = size.top + 12 + index * 20;
    out.push(`<rect x="${right + 16}" y="${height - 9}" width="10" height="10" fill="${colour}"/>`);
    out.push(`<text x="${right + 32}" y="${height}">${escaped(name)}</text>`);
  }
  out.push("</svg>\n");
  return out.join("\n");
}

/** The next number of the kind 1, 2, 5 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

function short(value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000} M`;
  if (value >= 1_000) return `${value / 1_000} k`;
  return String(Math.round(value * 100) / 100);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
