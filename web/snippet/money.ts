// Amounts as Stripe counts them, in the smallest unit of their currency, and as people write them.

/** An amount in the currency's smallest unit. */
export interface Price {
  amount: number;
  currency: string;
}

// The lists of `shared/domain/src/money.rs`. What `Intl` knows is ISO's and CLDR's, and Stripe counts
// some otherwise: ISK, UGX, HUF and IDR have two decimals there.
/** https://docs.stripe.com/currencies#zero-decimal */
const ZERO_DECIMAL = /^(BIF|CLP|DJF|GNF|JPY|KMF|KRW|MGA|PYG|RWF|VND|VUV|XAF|XOF|XPF)$/i;
/** https://docs.stripe.com/currencies#three-decimal */
const THREE_DECIMAL = /^(BHD|JOD|KWD|OMR|TND)$/i;

/** How many decimals Stripe's integer amounts hide. */
const decimals = ({ currency }: Price): number => (ZERO_DECIMAL.test(currency) ? 0 : THREE_DECIMAL.test(currency) ? 3 : 2);

/** 9700 of a currency with two decimals is 97. */
export const inUnits = (price: Price): number => price.amount / 10 ** decimals(price);

/** An amount as people write it, with all the decimals that are charged. */
export const written = (price: Price, language: string): string => {
  const digits = decimals(price);
  const format = { style: "currency", currency: price.currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language, format).format(inUnits(price));
};
