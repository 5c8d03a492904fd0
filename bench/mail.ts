/** The mail of the bench: a receipt as shops send it, 2.7 kB of text and HTML, and whom it goes to. */

const line = (name: string, price: string) =>
  `<tr><td style="padding:6px 0;font-size:14px">${name}</td><td align="right" style="padding:6px 0">${price}</td></tr>`;

export const subject = "Your order has left us";

export const text = `Hello Ana,

your order 4821-9931 has left our house this morning. It should be with you on Thursday.

  2 x Walking boots, brown        179.80 EUR
  1 x Rain jacket, size M          89.00 EUR
  3 x Socks, wool                  26.70 EUR
  Total                           295.50 EUR

You can follow the parcel here: https://www.acme.com/orders/4821-9931/parcel

Something is wrong with it? Write back to this mail, somebody reads it.

Your team in the warehouse
`;

export const html = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Your order</title>
<style>body{margin:0;background:#f4f4f4}.box{max-width:600px;margin:0 auto;background:#fff}</style></head>
<body>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table class="box" role="presentation" width="600" cellpadding="24" cellspacing="0">
<tr><td><img src="https://cdn.acme.com/logo.png" width="120" height="40" alt="Acme"></td></tr>
<tr><td style="font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#222">
<h1 style="font-size:22px;margin:0 0 16px">Your order has left us</h1>
<p>Hello Ana,</p>
<p>your order <b>4821-9931</b> has left our house this morning. It should be with you on Thursday.</p>
<table width="100%" cellpadding="0" cellspacing="0" style="border-top:1px solid #ddd">
${line("2 &times; Walking boots, brown", "179.80 €")}
${line("1 &times; Rain jacket, size M", "89.00 €")}
${line("3 &times; Socks, wool", "26.70 €")}
${line("<b>Total</b>", "<b>295.50 €</b>")}
</table>
<p><a href="https://www.acme.com/orders/4821-9931/parcel" style="background:#1f6feb;color:#fff;padding:12px">Follow it</a></p>
<p style="font-size:12px;color:#666">Something is wrong with it? Write back to this mail, somebody reads it.</p>
</td></tr></table></td></tr></table></body></html>
`;

export const from = '"Acme Orders" <orders@acme.com>';

/** Ten thousand people, who come round again: a process of a shop mails the same customers. */
const people = Array.from({ length: 10_000 }, (_, index) => `customer.${index}@mail-${index % 40}.test`);

export function personOf(index: number): string {
  return people[index % people.length] as string;
}
