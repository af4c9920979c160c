// The two lines before any tag: everything is denied until the visitor says otherwise.
// https://developers.google.com/tag-platform/security/guides/consent

((page: Window & { gtag?: unknown }, denied = "denied") => {
  if (page.gtag) return;
  const layer = (page.dataLayer ||= []);
  page.gtag = function () {
    layer.push(arguments);
  };
  (page.gtag as (...words: unknown[]) => void)("consent", "default", {
    ad_storage: denied,
    analytics_storage: denied,
    ad_user_data: denied,
    ad_personalization: denied,
    functionality_storage: denied,
    personalization_storage: denied,
    wait_for_update: 500,
  });
})(window);

export {};
