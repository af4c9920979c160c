// The `<script>` build without checkout and banner: its options are its own data- attributes.

import { fromScript } from "./script";

fromScript(() => []);
