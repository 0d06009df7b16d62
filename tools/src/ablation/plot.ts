import type { ModelReport } from './report.js';

const WIDTH = 860;
const LEFT = 330;
const RIGHT = 70;
const TOP = 50;
const LINE = 24;
const COLORS = ['#1f6feb', '#d1600f', '#2da44e', '#8250df'];
const FONT = 'font-family="system-ui, sans-serif"';
/** Longest title that fits beside the plot. */
const TITLE_LENGTH = 52;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('`', '');
}

function shortened(title: string): string {
  return title.length <= TITLE_LENGTH ? title : `${title.slice(0, TITLE_LENGTH - 1)}…`;
}

/** SQNR by step, one line of points per model, error bars of one standard error. */
export function plotOf(models: readonly ModelReport[]): string {
  const titles = models[0]?.rows.map((row) => row.title) ?? [];
  const all = models.flatMap(({ rows }) => rows.map(({ metrics }) => metrics.sqnr.value));
  const top = 5 * Math.ceil((Math.max(0, ...all) + 1) / 5);
  const height = TOP + LINE * titles.length + 60;
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * Math.max(0, value)) / top;
  const y = (index: number): number => TOP + LINE * (index + 0.5);
  const bottom = TOP + LINE * titles.length;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Logits SQNR in decibels by recipe step">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="22" ${FONT} font-size="14" fill="#1f2328">Logits SQNR against float, dB</text>`,
  ];
  for (let tick = 0; tick <= top; tick += 5) {
    parts.push(
      `<line x1="${x(tick)}" y1="${TOP}" x2="${x(tick)}" y2="${bottom}" stroke="#d0d7de"/>`,
      `<text x="${x(tick)}" y="${bottom + 18}" ${FONT} font-size="11" fill="#57606a" text-anchor="middle">${tick}</text>`,
    );
  }
  for (const [index, title] of titles.entries()) {
    parts.push(
      `<text x="${LEFT - 10}" y="${y(index) + 4}" ${FONT} font-size="11" fill="#1f2328" text-anchor="end">${escaped(shortened(title))}</text>`,
    );
  }
  for (const [number, { model, rows }] of models.entries()) {
    const color = COLORS[number % COLORS.length];
    const points = rows.map(({ metrics }, index) => `${x(metrics.sqnr.value).toFixed(1)},${y(index)}`);
    parts.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-opacity="0.4"/>`);
    for (const [index, { metrics }] of rows.entries()) {
      const { value, error } = metrics.sqnr;
      parts.push(
        `<line x1="${x(value - error).toFixed(1)}" y1="${y(index)}" x2="${x(value + error).toFixed(1)}" y2="${y(index)}" stroke="${color}" stroke-width="3"/>`,
        `<circle cx="${x(value).toFixed(1)}" cy="${y(index)}" r="4" fill="${color}"><title>${escaped(model)}: ${value.toFixed(2)} dB</title></circle>`,
      );
    }
    const at = LEFT + 250 * number;
    parts.push(
      `<circle cx="${at + 5}" cy="${bottom + 40}" r="4" fill="${color}"/>`,
      `<text x="${at + 15}" y="${bottom + 44}" ${FONT} font-size="12" fill="#1f2328">${escaped(model)}</text>`,
    );
  }
  return `${parts.join('\n')}\n</svg>\n`;
}
