use super::*;
use crate::index::language;

fn read(language: &str, code: &str) -> Symbols {
    let compiled = language::named(language).unwrap().compiled().unwrap();
    symbols(compiled, &parse(compiled, code.as_bytes()).unwrap(), code.as_bytes())
}

/// One line for each definition, reference and import.
fn said(found: &Symbols) -> Vec<String> {
    let within = |at: Option<u32>| at.map_or("-", |at| found.definitions[at as usize].name.as_str());
    let definitions = found.definitions.iter().map(|d| format!("{} {} in {}", d.kind.word(), d.name, within(d.parent)));
    let references = found.references.iter().map(|r| format!("{} {} from {}", r.how.word(), r.name, within(r.within)));
    let imports = found.imports.iter().map(|import| format!("import {}", import.text));
    definitions.chain(references).chain(imports).collect()
}

/// What each language's queries must find in a few lines.
const SAMPLES: &[(&str, &str, &[&str])] = &[
    (
        "rust",
        "use crate::a::B;\nimpl B { fn run(&self) { self.stop(); go::<u8>(1); } }\nconst N: u8 = 1;\n",
        &[
            "implementation B in -",
            "function run in B",
            "constant N in -",
            "method stop from run",
            "call go from run",
            "import crate::a::B",
        ],
    ),
    (
        "python",
        "from .a import b\nimport os.path as p\nclass C(Base):\n    def run(self):\n        b(self.stop())\n",
        &[
            "class C in -",
            "method stop from run",
            "function run in C",
            "call b from run",
            "type Base from C",
            "import from .a import b",
            "import os.path",
        ],
    ),
    (
        "javascript",
        "import x from './x';\nconst f = () => g();\nclass A extends B { m() { this.n(); new C(); } }\nconst y = require('y');\n",
        &[
            "function f in f",
            "class A in -",
            "method m in A",
            "call g from f",
            "method n from m",
            "call C from m",
            "type B from A",
            "import import x from './x';",
            "import 'y'",
        ],
    ),
    (
        "typescript",
        "import {T} from \"./t\";\ninterface I { m(): T }\nexport function f(a: T): void { g(a); }\nenum E { A }\n",
        &[
            "interface I in -",
            "function f in -",
            "type E in -",
            "call g from f",
            "type T from f",
            "import import {T} from \"./t\";",
        ],
    ),
    ("tsx", "const V = () => <div onClick={() => go()}/>;\n", &["function V in V", "call go from V"]),
    (
        "go",
        "package a\nimport \"fmt\"\ntype S struct{}\nfunc (s S) Run() { fmt.Println(helper()) }\n",
        &["type S in -", "method Run in -", "method Println from Run", "call helper from Run", "import \"fmt\""],
    ),
    (
        "java",
        "import a.b.C;\nclass A extends C { void run() { stop(); new B(); } }\n",
        &[
            "class A in -",
            "method run in A",
            "method stop from run",
            "call B from run",
            "type C from A",
            "import a.b.C",
        ],
    ),
    (
        "c",
        "#include \"a.h\"\nstruct s { int a; };\nint *f(int a) { return g(a); }\n",
        &["type s in -", "function f in -", "call g from f", "import \"a.h\""],
    ),
    (
        "cpp",
        "#include <vector>\nnamespace n { class A { void m(); }; }\nvoid n::A::m() { b(); c->d(); }\n",
        &[
            "module n in -",
            "class A in n",
            "declaration m in A",
            "method m in -",
            "call b from m",
            "method d from m",
            "import <vector>",
        ],
    ),
    (
        "ruby",
        "require 'set'\nmodule M\n  class A < B\n    def run\n      stop\n      x.go(1)\n    end\n  end\nend\n",
        &["module M in -", "class A in M", "method run in A", "method go from run", "type B from A", "import 'set'"],
    ),
    (
        "php",
        "<?php\nuse A\\B;\nclass C { function run() { $this->stop(); go(); new B(); } }\n",
        &[
            "class C in -",
            "method run in C",
            "method stop from run",
            "call go from run",
            "call B from run",
            "import A\\B",
        ],
    ),
    ("bash", "source ./a.sh\nrun() {\n  stop now\n}\n", &["function run in -", "call stop from run", "import ./a.sh"]),
    (
        "lua",
        "local a = require(\"a\")\nfunction M.run(x)\n  stop(x)\n  a.go()\nend\n",
        &["function run in -", "call stop from run", "method go from run", "import \"a\""],
    ),
    ("markdown", "# One\n\ntext\n\n## Two\n\ntext\n", &["heading One in -", "heading Two in One"]),
    ("css", "@import \"a.css\";\n.button > #main { color: red }\n", &["import \"a.css\""]),
];

/// The same for the languages of the feature `lang-extra`.
#[cfg(feature = "lang-extra")]
const EXTRA: &[(&str, &str, &[&str])] = &[
    (
        "csharp",
        "using A.B;\nnamespace N;\nclass C : Base, I<int> {\n  private int n;\n  public C Other { get; set; }\n  void Run() { this.Stop(); Go<int>(1); new D(); x?.End(); }\n}\ninterface I { }\nrecord R(int X);\nenum E { A }\n",
        &[
            "module N in -",
            "class C in -",
            "constant n in C",
            "constant Other in C",
            "method Run in C",
            "interface I in -",
            "class R in -",
            "type E in -",
            "method Stop from Run",
            "call Go from Run",
            "call D from Run",
            "method End from Run",
            "type Base from C",
            "import using A.B;",
        ],
    ),
    (
        "kotlin",
        "package p\nimport a.b.C\nclass A(val s: S) : Base() {\n  val n = 1\n  fun run() {\n    stop()\n    s.go()\n    s.map { it.end() }\n  }\n}\nobject O {\n}\ntypealias T = A\nval top = 1\nfun free() = go()\n",
        &[
            "class A in -",
            "constant n in A",
            "function run in A",
            "class O in -",
            "type T in -",
            "constant top in -",
            "function free in -",
            "call stop from run",
            "method go from run",
            "method end from run",
            "type Base from A",
            "import import a.b.C",
        ],
    ),
    (
        "scala",
        "package p\nimport a.b.{C, D}\nclass A(s: S) extends Base with T {\n  val n = 1\n  def run() = { stop(); s.go[Int](1); new B() }\n}\nobject O { def make() = 1 }\ntrait T\nenum E { case X }\n",
        &[
            "class A in -",
            "constant n in A",
            "function run in A",
            "class O in -",
            "function make in O",
            "interface T in -",
            "type E in -",
            "call stop from run",
            "method go from run",
            "call B from run",
            "type Base from A",
            "import import a.b.{C, D}",
        ],
    ),
    (
        "swift",
        "import Foundation\nclass A: Base {\n  let n = 1\n  func run() { stop(); self.go(); B() }\n}\nextension A { func more() { end() } }\nprotocol P { func m() }\nstruct S { }\ntypealias T = A\n",
        &[
            "class A in -",
            "constant n in A",
            "function run in A",
            "implementation A in -",
            "function more in A",
            "interface P in -",
            "function m in P",
            "class S in -",
            "type T in -",
            "call stop from run",
            "method go from run",
            "call B from run",
            "call end from more",
            "type Base from A",
            "import Foundation",
        ],
    ),
];

#[test]
fn each_language_tells_what_it_defines_uses_and_brings_in() {
    let mut missing = Vec::new();
    #[cfg(feature = "lang-extra")]
    let samples = SAMPLES.iter().chain(EXTRA);
    #[cfg(not(feature = "lang-extra"))]
    let samples = SAMPLES.iter();
    for (language, code, expected) in samples {
        let found = said(&read(language, code));
        for line in *expected {
            if !found.iter().any(|found| found == line) {
                missing.push(format!("{language}: no `{line}` in {found:?}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_grammar_without_names_of_its_own_still_parses() {
    for (language, code) in [("json", "{\"a\": [1]}"), ("yaml", "a: [1]\n"), ("toml", "a = 1\n"), ("html", "<p>a</p>")]
    {
        assert_eq!(read(language, code), Symbols::default(), "{language}");
    }
}

#[test]
fn broken_code_tells_what_is_whole() {
    let found = read("rust", "fn whole() { a(); }\nfn broken( { b();\nstruct Also;\n");
    assert!(found.definitions.iter().any(|definition| definition.name == "whole"));
    assert!(found.references.iter().any(|reference| reference.name == "a"));
}

#[test]
fn a_line_knows_the_definitions_around_it() {
    let found = read("python", "class A:\n    def run(self):\n        x = 1\n\ny = 2\n");
    assert_eq!(found.scope_at(3), "A.run");
    assert_eq!(found.scope_at(1), "A");
    assert_eq!(found.scope_at(4), "");
}
