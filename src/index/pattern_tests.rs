use tree_sitter::{Query, QueryCursor, StreamingIterator as _};

use super::*;
use crate::index::language::{self, Language};
use crate::index::syntax;

/// What a pattern captured: number, begin and end of each, by the names of the captures.
type Seen = Vec<(String, usize, usize)>;

fn by_patterns(patterns: &Patterns, tree: &Tree, text: &[u8]) -> Vec<Seen> {
    let mut all = Vec::new();
    patterns.each(tree, text, |found| {
        let one =
            |(capture, node): &Capture<'_>| (patterns.names()[*capture].clone(), node.start_byte(), node.end_byte());
        all.push(found.iter().map(one).collect::<Seen>());
    });
    sorted(all)
}

fn by_engine(query: &Query, tree: &Tree, text: &[u8]) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.root_node(), text);
    while let Some(matched) = matches.next() {
        let one = |capture: &tree_sitter::QueryCapture<'_>| {
            let name = query.capture_names()[capture.index as usize].to_owned();
            (name, capture.node.start_byte(), capture.node.end_byte())
        };
        all.push(matched.captures().iter().map(one).collect::<Seen>());
    }
    sorted(all)
}

fn sorted(mut all: Vec<Seen>) -> Vec<Seen> {
    all.iter_mut().for_each(|one| one.sort());
    all.sort();
    all
}

/// Code with every form the patterns of its language look for, and with broken places.
const SAMPLES: &[(&str, &str)] = &[
    ("rust", include_str!("syntax.rs")),
    ("rust", include_str!("pattern.rs")),
    (
        "rust",
        "use a::{b, c as d};\nmod x;\nmod y { fn f() {} }\nimpl<T> A<T> for B<T> { const N: u8 = 1; }\ntrait T { fn g(&self) -> u8; }\nmacro_rules! m { () => {} }\nfn h() { m!(); a::b::<u8>(x.y::<u8>(z())); let s = S { a } }\nfn broken( { go();\nstatic S: u8 = 1;",
    ),
    (
        "python",
        "import a, b.c as d\nfrom .e import f\nX = 1\n# remark\n@dec\n@dec.or_call(1)\nclass C(A, B.D, metaclass=M):\n    Y: int = 2\n    def run(self, x: List[int]) -> str:\n        return self.stop(go(x))\ndef broken(:\n    go()\n",
    ),
    (
        "javascript",
        "import x, {y} from './x';\nexport * from 'z';\nexport const f = () => g();\nconst h = function () { return new A(); };\nclass B extends C { m() { this.n.o(p); } static async *q() {} }\na.b = function () {};\nfunction* gen() {}\nconst r = require('r'), s = require(t, 'u');\nlet { broken = ;\n",
    ),
    (
        "typescript",
        "import {T} from './t';\nexport interface I extends J { m(): T; n: U }\nabstract class A<T> implements I { abstract go(x: T): void; run(): void { f<T>(x as U); } }\ntype V = W | X;\nenum E { A }\nnamespace N { export function f(a: T): void }\nexport const k = (x: T) => new Y(x);\n",
    ),
    ("tsx", "const V = (p: P) => <div onClick={() => go()}><W/></div>;\n"),
    (
        "go",
        "package a\nimport (\n\t\"fmt\"\n\tx \"y/z\"\n)\ntype S struct{ a, b T }\ntype I interface { Run() error }\ntype A = B\nconst c = 1\nvar (\n\td = 2\n\te F\n)\nfunc (s *S) Run() error { return fmt.Errorf(helper(s.t.u())) }\nfunc g[T any](x T) {}\n",
    ),
    (
        "java",
        "package p;\nimport a.b.C;\nimport static a.D.*;\n@Ann public class A extends C implements I {\n  private static final int N = 1, M = 2;\n  String s;\n  A() { super(); new B<T>(); }\n  void run() throws E { this.stop(a.go()); }\n  interface J { int x(); }\n  enum K { L }\n  record R(int a) {}\n  @interface Q {}\n}\n",
    ),
    (
        "c",
        "#include <a.h>\n#include \"b.h\"\n#define N 1\n#define F(x) g(x)\nstruct s { int a; };\nunion u;\nenum e { A, B };\ntypedef struct s t;\ntypedef int (*fp)(t);\nstatic int *f(t a), h(void);\nint *f(t a) { return a->b(g(a), (*p)(a)); }\nint broken( { g();\n",
    ),
    (
        "cpp",
        "#include <vector>\nnamespace n::o { template <class T> class A : public B<T> { void m(); int k() { return 1; } A(); ~A(); }; }\nusing V = n::A;\nvoid n::A::m() { b(); c->d(n::e()); }\nstd::vector<int> &f(int &x) { return g<T>(x); }\nA *n::g() { return new A(); }\nconcept C = true;\nstruct S { int a; }; union U { int b; }; enum class E { X };\n",
    ),
    (
        "ruby",
        "require 'set'\nrequire_relative \"a/b\"\nputs 'no'\nN = 1\nmodule M::O\n  class A < B\n    def self.make; end\n    def run(x)\n      stop x\n      x.go(1).then { |y| y.z }\n    end\n  end\nend\nclass X::Y < Z::W\nend\n",
    ),
    (
        "php",
        "<?php\nnamespace N;\nuse A\\B, C;\nuse function D\\e;\nrequire 'f.php';\ninclude_once('g.php');\nconst K = 1;\ninterface I {}\ntrait T {}\nenum E { case A; }\nfunction h(?P $x): Q { i($x); \\A\\j(); }\nclass C extends B implements I { const L = 2; function run() { $this->stop(); self::go(); new B(); } }\n",
    ),
    (
        "bash",
        "source ./a.sh\n. b.sh c\nX=1\nif true; then Y=2; fi\nrun() {\n  stop now | other \"$(third)\"\n}\nfunction also { :; }\n",
    ),
    (
        "lua",
        "local a = require(\"a\")\nlocal b = other(\"b\")\nfunction M.run(x)\n  stop(x)\n  a.go()\n  a:met(require 'c')\nend\nlocal function l() end\nf = function() end\nM.g = function() end\nfunction M:h() end\n",
    ),
    ("markdown", "# One\n\ntext\n\n## Two\n\ntext\n\nThree\n=====\n\n- a\n"),
    (
        "css",
        "@import \"a.css\";\n@import url(b.css);\n.button > #main, .a.b:hover { color: red }\n@keyframes spin { from { top: 0 } }\n",
    ),
    (
        "csharp",
        "using System;\nusing A.B;\nnamespace N.O { public class A : B, I { int P { get; set; } A() { new C(); } void M() { this.S(); T(); void L() {} } } struct S {} record R(int a); interface I {} enum E { X } delegate void D(); }\n",
    ),
    (
        "kotlin",
        "import a.b.C\nclass A(val x: T) : B() { fun run() { stop(); this.go(x.y()) } }\nobject O { }\ntypealias V = W\n",
    ),
    (
        "scala",
        "import a.b.C\nobject O extends T { def run(x: U): V = stop(x.go(1)) }\ncase class A(x: Int)\ntrait T { def m: Int; type W = X }\n",
    ),
    (
        "swift",
        "import Foundation\nclass A: B { func run(x: T) -> U { stop(); x.go(y.z()) } }\nprotocol P { func m() }\ntypealias V = W\nstruct S {}\n",
    ),
];

fn compiled(name: &str) -> Option<&'static language::Compiled> {
    language::named(name).and_then(Language::compiled)
}

#[test]
fn patterns_find_what_the_engine_of_tree_sitter_finds() {
    let mut n_found = 0;
    for (name, code) in SAMPLES {
        // The four languages of `lang-extra` are not always there.
        let Some(compiled) = compiled(name) else { continue };
        let tree = syntax::parse(compiled, code.as_bytes()).unwrap();
        let text = language::named(name).unwrap().patterns();
        let query = Query::new(&compiled.grammar, text).unwrap();
        let ours = by_patterns(&compiled.patterns, &tree, code.as_bytes());
        n_found += ours.len();
        assert_eq!(ours, by_engine(&query, &tree, code.as_bytes()), "{name}");
    }
    assert!(n_found > 500, "{n_found}");
}

#[test]
fn every_language_has_a_sample() {
    for language in language::all() {
        let has_patterns = language.compiled().is_some_and(|compiled| !compiled.patterns.is_empty());
        assert!(!has_patterns || SAMPLES.iter().any(|(name, _)| *name == language.name()), "{}", language.name());
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    let grammar = &compiled("rust").unwrap().grammar;
    let table = [
        ("(no_such_kind)", "no kind of node"),
        ("(function_item no_such_field: (identifier))", "no field"),
        ("(function_item", "without an end"),
        ("(function_item (identifier)* @name)", "`*"),
        ("(identifier) @a (#any-of? @a \"x\")", "no kind of node"),
        ("(call_expression (identifier) @a (#any-of? @a \"x\"))", "the condition"),
        ("(call_expression (identifier) @a (#match? @a \"(\"))", "regex"),
        ("[(identifier) (block)]", "several shapes"),
        ("(_) @x", "every kind"),
        ("\"fn", "without an end"),
    ];
    for (text, expected) in table {
        let error = Patterns::new(grammar, text).err().unwrap_or_default();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_tree_of_any_depth_is_walked() {
    let compiled = compiled("rust").unwrap();
    let code = format!("fn f() {{ {}go(){} }}", "(".repeat(5000), ")".repeat(5000));
    let tree = syntax::parse(compiled, code.as_bytes()).unwrap();
    let mut n_found = 0;
    compiled.patterns.each(&tree, code.as_bytes(), |_| n_found += 1);
    assert!(n_found >= 1);
}
