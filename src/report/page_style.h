#pragma once

#include <string_view>

namespace smcl::report {

/// Of the page and of its plots (plot.h names the classes). Colours for light and dark screens; of
/// methods blue against grey, of verdicts green and red, which also differ in lightness.
inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--paper:#fff;--card:#f5f6f8;--ink:#16181d;--soft:#59606b;--grid:#dcdfe4;
--own:#1f5fbf;--base:#8a8f98;--many:#3b6fb6;--medium:#7a5bb5;--few:#c2571a;--good:#17753a;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--paper:#14161a;--card:#1e2127;--ink:#e8eaee;--soft:#a3aab5;
--grid:#353a43;--own:#7db2ff;--base:#8d949f;--many:#7ba7e6;--medium:#b39ae6;--few:#f09a5b;--good:#5fc98a;
--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main,header,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;border-top:1px solid var(--grid);padding-top:1rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
p,ul,ol{margin:.5rem 0;max-width:60rem}
p,li,figcaption,summary{overflow-wrap:anywhere}
.verdict{font-size:1.1rem;border-left:4px solid var(--own);padding:.25rem 1rem;background:var(--card)}
.note,figcaption,footer{color:var(--soft);font-size:.875rem}
.wide{overflow-x:auto;margin:.75rem 0}
.wide:focus-visible{outline:2px solid var(--own)}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:left;border-bottom:1px solid var(--grid);white-space:nowrap}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:500}
.num{text-align:right}
.strong td,.strong th{font-weight:700}
td.good{color:var(--good);font-weight:600}
td.bad{color:var(--bad);font-weight:600}
pre{background:var(--card);padding:.75rem 1rem;overflow-x:auto;font-size:.875rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1rem}
figure{margin:0;background:var(--card);border-radius:6px;padding:.75rem;min-width:0}
figure.broad{margin:.75rem 0;max-width:44rem}
figure h4{margin:0 0 .25rem;font-size:.875rem;font-weight:600;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;font-size:11px}
img{display:block;max-width:100%;height:auto;image-rendering:pixelated}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--own)}
nav a{color:var(--own);margin-right:1rem}
footer{margin:3rem auto 2rem;border-top:1px solid var(--grid);padding-top:1rem}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .3em 0 .8em}
svg text{fill:var(--soft)}
svg text.ink{fill:var(--ink)}
svg text.paper{fill:var(--paper)}
.l{fill:none;stroke-width:1.5}.thick{stroke-width:2.5}
.l.ink{stroke:var(--ink)}.l.grid{stroke:var(--grid);stroke-width:1}.l.base{stroke:var(--base)}
.l.own{stroke:var(--own)}.l.good{stroke:var(--good)}.l.bad{stroke:var(--bad)}.l.soft{stroke:var(--soft)}
.f{stroke:none}.band{fill-opacity:.18}
.f.own{fill:var(--own)}.f.base{fill:var(--base)}.f.many{fill:var(--many)}.f.medium{fill:var(--medium)}
.f.few{fill:var(--few)}.f.good{fill:var(--good)}.f.bad{fill:var(--bad)}.f.soft{fill:var(--soft)}
.key.own{background:var(--own)}.key.base{background:var(--base)}.key.many{background:var(--many)}
.key.medium{background:var(--medium)}.key.few{background:var(--few)}
@media (max-width:40rem){tbody th,thead th:first-child{white-space:normal;min-width:9rem}}
@media print{details{display:block}}
)css";

}  // namespace smcl::report
