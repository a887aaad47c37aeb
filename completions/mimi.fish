# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mimi_global_optspecs
    string join \n C/cwd= m/model= set= trust-project= q/quiet color= h/help V/version
end

function __fish_mimi_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mimi_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mimi_using_subcommand
    set -l cmd (__fish_mimi_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mimi -n "__fish_mimi_needs_command" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_needs_command" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_needs_command" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_needs_command" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_needs_command" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_needs_command" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_needs_command" -s V -l version -d 'Print version'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "chat" -d 'Talk with the agent about this project'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "run" -d 'Carry out one task and print the answer'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "fix" -d 'Make a failing check pass'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "review" -d 'Have a change judged: what is wrong, where, and why'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "review-diff" -d 'Go through changes hunk by hunk: accept, reject, edit, stage, or say something to the model'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "commit" -d 'Commit what is staged, with a message worded for you'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "explain" -d 'Have an error or a place in a file explained'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "replay" -d 'Go through a recorded run again, without a model server'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "eval" -d 'Have a model work on a folder of tasks, and print what came of each'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "onboard" -d 'Get to know mimi in three steps: the server, how it works, something to try'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "demo" -d 'Watch mimi fix a small project, without any model server'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "undo" -d 'Take back what the last turns changed, commands included'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "redo" -d 'Do again what was taken back last'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "checkpoint" -d 'List, show, compare, restore or prune files as they were before each call'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "session" -d 'List, search, show, resume, name, fork, export or delete sessions'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "search" -d 'Find code by what it does, by words or by names'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "index" -d 'Build or update the index that `mimi search` asks'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "map" -d 'Show the outline of the project: the definitions that matter most'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "graph" -d 'Show who uses a definition, what it calls, and which files bring which in'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "sandbox" -d 'Show how commands are confined, or run one so'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "config" -d 'Show, check or edit the configuration'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "policy" -d 'Show what may be done without asking, and why'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "trust" -d 'Show what this project\'s own settings ask for, and trust or forget them'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "auth" -d 'Store, list or remove keys of model servers'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "usage" -d 'Show what requests to models took and cost'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "cache" -d 'Show or empty the kept answers of models'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "doctor" -d 'Check that everything mimi needs is there'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "status" -d 'Show what the model servers are, serve and do at this moment'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c mimi -n "__fish_mimi_needs_command" -f -a "man" -d 'Print or write the man pages'
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l mode -d 'How much may be done without asking' -r -f -a "plan\t'Read only'
ask\t'Ask before writing and running'
auto\t'Write in the workspace and run what is confined without asking'"
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l resume -d 'Continue this session; without an ID the newest one of this folder' -r
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l allow-host -d 'Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`' -r
complete -c mimi -n "__fish_mimi_using_subcommand chat" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand chat" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand chat" -l inline -d 'Go line by line instead of in full screen: for screen readers, recordings and simple terminals'
complete -c mimi -n "__fish_mimi_using_subcommand chat" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand chat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand run" -l mode -d 'How much may be done without asking: what would be asked is refused, as nobody is there to answer' -r -f -a "plan\t'Read only'
ask\t'Ask before writing and running'
auto\t'Write in the workspace and run what is confined without asking'"
complete -c mimi -n "__fish_mimi_using_subcommand run" -l allow -d 'Allow what this rule covers: `shell:cargo test`, `shell:make *`, `write:src/**`, `git:commit`' -r
complete -c mimi -n "__fish_mimi_using_subcommand run" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand run" -l allow-host -d 'Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`' -r
complete -c mimi -n "__fish_mimi_using_subcommand run" -l output-schema -d 'Make the answer one JSON value that follows the JSON schema in this file' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand run" -l record -d 'Record what is exchanged with models and tools to a new file, for `mimi replay`' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand run" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand run" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand run" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand run" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand run" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand run" -l json -d 'Print every event as a line of JSON instead of the answer'
complete -c mimi -n "__fish_mimi_using_subcommand run" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l test -d 'A check that runs tests, as a shell command; several run in the order given. `auto`, or no check at all: found from the project\'s files' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l lint -d 'A check that runs a linter or formatter; `auto` finds it' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l build -d 'A check that builds; the checks behind it run only when it passes; `auto` finds it' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l failures-from -d 'Read what failed from this file as well, which the checks write: JUnit XML, SARIF or TAP; `*` stands for any text' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l max-rounds -d 'Times the agent is handed the failures; 0 leaves the model out' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l max-steps -d 'Requests to the model, in all rounds' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l max-tokens -d 'Tokens read and written, in all rounds' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l max-time -d 'Time from the start to the end, in which also a busy server is waited for: `90s`, `20m`, `2h`' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l max-cost -d 'Cost, in the currency of `prices` in the configuration' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l paths -d 'Change only files that fit: `src/**`; several flags add up' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l allow -d 'Allow what this rule covers: `shell:make *`, `write:docs/**`' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l allow-host -d 'Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l output -d 'Write the report as text, json, jsonl, markdown, sarif, junit or github, to a file or to standard output' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l patch -d 'Write what mimi changed to this file, for `git apply`' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l branch -d 'Commit it to this new branch instead, and leave what is checked out as it is' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l repo-list -d 'Work on every repository of this list: a line each, its path, and its check behind a tab or blank' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l shard -d 'Take only share I of N of the list, for arrays of jobs' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l record -d 'Record what is exchanged with models, tools and checks to a new file, for `mimi replay`' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand fix" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand fix" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l allow-tests -d 'Let tests, what they expect and what sets up checks be changed'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l allow-ci -d 'Let files of the CI be changed'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l allow-lockfiles -d 'Let lockfiles be changed'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l allow-hooks -d 'Let hooks be changed'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l detect -d 'Show which checks would be run and which others there are, and stop'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l json -d 'Print every event as a line of JSON: `--output jsonl`'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l deterministic -d 'Tell the same work in the same bytes: without times, ids and folders'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l commit -d 'Commit what mimi changed, and nothing else, where the checks pass in the end'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l dry-run -d 'Put everything back afterwards, and print the patch unless it goes to a file'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -l review -d 'Go through the changes piece by piece on the terminal, before anything else is done with them'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand fix" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand review" -l base -d 'Review the commits since the branch left this one: `main`, `origin/main`' -r
complete -c mimi -n "__fish_mimi_using_subcommand review" -l commit -d 'Review one commit' -r
complete -c mimi -n "__fish_mimi_using_subcommand review" -l output -d 'Write the result as text, json, markdown, sarif or github, to a file or to standard output' -r
complete -c mimi -n "__fish_mimi_using_subcommand review" -l fail-on -d 'End with code 1 when something of this severity or graver is found [default: review.fail_on]' -r -f -a "error\t'Errors'
warning\t'Warnings too'
note\t'Anything'
never\t'Nothing'"
complete -c mimi -n "__fish_mimi_using_subcommand review" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand review" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand review" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand review" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand review" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand review" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand review" -l staged -d 'Review what is staged'
complete -c mimi -n "__fish_mimi_using_subcommand review" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand review" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -l session -d 'What a session changed, by its id or the beginning of it' -r
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -l staged -d 'What is staged'
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -l turn -d 'What the last turn of the latest session of this folder changed'
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand review-diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand commit" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand commit" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand commit" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand commit" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand commit" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand commit" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand commit" -s e -l edit -d 'Change the message in your editor before you are asked'
complete -c mimi -n "__fish_mimi_using_subcommand commit" -s y -l yes -d 'Commit without asking'
complete -c mimi -n "__fish_mimi_using_subcommand commit" -l dry-run -d 'Print the message and commit nothing'
complete -c mimi -n "__fish_mimi_using_subcommand commit" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand commit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand explain" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand explain" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand explain" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand explain" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand explain" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand explain" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand explain" -l json -d 'Print every event as a line of JSON'
complete -c mimi -n "__fish_mimi_using_subcommand explain" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l tools -d 'Where results of calls and checks come from: the recording, or running them in a scratch copy of this folder' -r -f -a "recorded\t'Nothing is run'
real\t'Calls and checks run'"
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l allow -d 'With `--tools real`: allow what this rule covers; what the recording allowed is not taken over' -r
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand replay" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand replay" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l in-place -d 'With `--tools real`: run in this folder itself instead of a copy'
complete -c mimi -n "__fish_mimi_using_subcommand replay" -l json -d 'Print the steps as one JSON value'
complete -c mimi -n "__fish_mimi_using_subcommand replay" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l task -d 'Only this task; may be repeated' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l compare -d 'Compare with an earlier result, as `--json` prints it' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l jobs -d 'Work on so many tasks at once' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l record -d 'Record each run to a file in this folder, for `mimi replay`' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l sandbox -d 'Confine commands this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l script -d 'Let the scripts of the tasks play the model, to see whether tasks and tools work'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -l json -d 'Print the result as one JSON value'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -a "search" -d 'Measure how well a search answers a file of questions'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and not __fish_seen_subcommand_from search questions" -a "questions" -d 'Make questions for `mimi eval search` from the doc comments of a project'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l repo -d 'The project that is asked, instead of this one' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l part -d 'Ask this part of the search; may be repeated' -r -f -a "whole-words\t'A plain full-text search over whole words, for comparison'
words\t'Words and parts of words'
vectors\t'Vectors alone'
fused\t'Words and vectors, without the rules of ranking'
ranked\t'Everything, as `mimi search` does it'
all\t'All of these, one after the other'"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l weights -d 'Rank with the weights of this file instead of those of config/ranking.yaml' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l compare -d 'Compare with an earlier result, as `--json` prints it' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -l json -d 'Print the result as one JSON value'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -l limit -d 'At most so many, always the same choice' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand eval; and __fish_seen_subcommand_from questions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand onboard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand demo" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand demo" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand demo" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand demo" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand demo" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand demo" -l live -d 'Let the configured model server do the work instead of the bundled script'
complete -c mimi -n "__fish_mimi_using_subcommand demo" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand undo" -l session -d 'The session, by its id or the beginning of it; the latest of this workspace that has such a turn when left out' -r
complete -c mimi -n "__fish_mimi_using_subcommand undo" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand undo" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand undo" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand undo" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand undo" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand undo" -l json -d 'Print every event as a line of JSON'
complete -c mimi -n "__fish_mimi_using_subcommand undo" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand redo" -l session -d 'The session, by its id or the beginning of it; the latest of this workspace that has such a turn when left out' -r
complete -c mimi -n "__fish_mimi_using_subcommand redo" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand redo" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand redo" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand redo" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand redo" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand redo" -l json -d 'Print every event as a line of JSON'
complete -c mimi -n "__fish_mimi_using_subcommand redo" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand redo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -f -a "list" -d 'List what changed files in this workspace, the latest first'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -f -a "show" -d 'Show which paths a call changed'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -f -a "diff" -d 'Show what a call changed in them'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -f -a "restore" -d 'Put files back as they were before a call'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and not __fish_seen_subcommand_from list show diff restore prune" -f -a "prune" -d 'Delete what is too old or too much, as `checkpoint` in the configuration says'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -l session -d 'Only of this session' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -l json -d 'Print a JSON array'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -l json -d 'Print a JSON array'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -l force -d 'Replace also what nobody has kept so far; it is kept then'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand checkpoint; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "list" -d 'List the sessions of this workspace, the latest first'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "show" -d 'Print a session'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "resume" -d 'Go on with a session'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "export" -d 'Write a session as Markdown or JSON'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "fork" -d 'Copy a session, so that it can go another way'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "rename" -d 'Name a session'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "search" -d 'Find the sessions in which words were said: by you, by the model, in calls and results'
complete -c mimi -n "__fish_mimi_using_subcommand session; and not __fish_seen_subcommand_from list show resume export fork rename search delete" -f -a "delete" -d 'Delete sessions'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -l all -d 'Also list sessions of other workspaces, and those in which nobody said anything'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -l json -d 'Print a JSON array'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -l json -d 'Print a JSON array of its records'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -l format -d 'What to write' -r -f -a "md\t'Markdown, to read'
json\t'One JSON array of records'
jsonl\t'One JSON object a line: the session file as far as it can be read'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -s o -l output -d 'File to write, private to you; standard output when left out or `-`' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -l turn -d 'Copy what happened up to the end of this turn' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from fork" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -l all -d 'Also search sessions of other workspaces'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -l json -d 'Print a JSON array'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand session; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand search" -s n -l limit -d 'Show at most so many places' -r
complete -c mimi -n "__fish_mimi_using_subcommand search" -l lines -d 'Show at most so many lines of each place' -r
complete -c mimi -n "__fish_mimi_using_subcommand search" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand search" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand search" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand search" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand search" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand search" -l explain -d 'Say where each score comes from'
complete -c mimi -n "__fish_mimi_using_subcommand search" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand search" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand index" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand index" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand index" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand index" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand index" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand index" -l status -d 'Say what is in the index, without updating it'
complete -c mimi -n "__fish_mimi_using_subcommand index" -l verify -d 'Look for damage in the whole index'
complete -c mimi -n "__fish_mimi_using_subcommand index" -l prune -d 'Forget what no work tree has any more, and the indexes of other projects used longest ago beyond `index.max_mb`'
complete -c mimi -n "__fish_mimi_using_subcommand index" -l rebuild -d 'Delete the index and build it anew'
complete -c mimi -n "__fish_mimi_using_subcommand index" -l stats -d 'After updating, say in detail what is in the index'
complete -c mimi -n "__fish_mimi_using_subcommand index" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand index" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand index" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand map" -l tokens -d 'Take no more tokens than this' -r
complete -c mimi -n "__fish_mimi_using_subcommand map" -l focus -d 'Files or folders in play: what they use comes first' -r -F
complete -c mimi -n "__fish_mimi_using_subcommand map" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand map" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand map" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand map" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand map" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand map" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand map" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand map" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l depth -d 'Go so many steps' -r
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l format -d 'Write it so' -r -f -a "tree\t'Lines that are indented'
dot\t'For graphviz'
mermaid\t'For Markdown, at most 60 nodes'
json\t'One JSON object'"
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l confidence -d 'Show edges that are at least so sure' -r -f -a "exact\t'The place says what it means'
likely\t'Also where only one thing in the project is called so'
name\t'Also where several are'"
complete -c mimi -n "__fish_mimi_using_subcommand graph" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand graph" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l callers -d 'Who uses it'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l callees -d 'What it calls'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l imports -d 'Which files its file brings in'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l dependents -d 'Which files bring its file in'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -l all -d 'Show all edges, however unsure'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand graph" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -l sandbox -d 'Confine this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -l allow-host -d 'Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -f -a "probe" -d 'Try which sandbox works here, and say what to do where a better one is missing'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and not __fish_seen_subcommand_from probe run" -f -a "run" -d 'Run a command as the shell tool would, without asking'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -l sandbox -d 'Confine this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -l allow-host -d 'Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -l json -d 'Print the result as JSON'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l sandbox -d 'Confine this way instead of the best that works here' -r -f -a "auto\t'The best that works here'
full\t'In namespaces of their own, by bubblewrap'
landlock\t'By Landlock, where namespaces are forbidden'
external\t'Not by mimi: this container or virtual machine is the boundary'
none\t'Not at all'"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l allow-host -d 'Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -f -a "show" -d 'Print the settings in use, or one of them'
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -f -a "check" -d 'Report every problem of the settings, or of one file'
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -f -a "path" -d 'Print the path of your settings file'
complete -c mimi -n "__fish_mimi_using_subcommand config; and not __fish_seen_subcommand_from show check path edit" -f -a "edit" -d 'Open your settings file in $VISUAL or $EDITOR, then check it'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -l origin -d 'Print one line per value, with the file and line it comes from'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -l all -d 'Print every file that is looked at, and whether it is there'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand config; and __fish_seen_subcommand_from edit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -f -a "list" -d 'List the rules that hold in this folder: yours, the project\'s, those agreed to for always, and mimi\'s own'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -f -a "test" -d 'Say whether a command would run, ask or be refused'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -f -a "explain" -d 'Say it for each part of a command, and what decides'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and not __fish_seen_subcommand_from list test explain forget" -f -a "forget" -d 'Forget rules that were agreed to for always in this repository'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -l mode -d 'In this mode instead of the configured one' -r -f -a "plan\t'Read only'
ask\t'Ask before writing and running'
auto\t'Write in the workspace and run what is confined without asking'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -l json -d 'Print JSON'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -l mode -d 'In this mode instead of the configured one' -r -f -a "plan\t'Read only'
ask\t'Ask before writing and running'
auto\t'Write in the workspace and run what is confined without asking'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -l json -d 'Print JSON'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -l all -d 'Forget all of them'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -l json -d 'Print JSON'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand policy; and __fish_seen_subcommand_from forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -f -a "show" -d 'Show what they ask for, their hash, and what changed since they were trusted'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -f -a "accept" -d 'Trust the files as they are, until a byte of them changes'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and not __fish_seen_subcommand_from show accept forget" -f -a "forget" -d 'Forget that they were trusted'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand trust; and __fish_seen_subcommand_from forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -f -a "set" -d 'Store a key, read from a hidden prompt or from a pipe'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -f -a "list" -d 'List the providers that have a key, and where it is kept'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and not __fish_seen_subcommand_from set list remove" -f -a "remove" -d 'Remove a stored key'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand auth; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand usage" -l by -d 'Add up by' -r -f -a "day\t'Day'
model\t'Model, with its provider'
task\t'What it was for'
project\t'Folder worked in'"
complete -c mimi -n "__fish_mimi_using_subcommand usage" -l since -d 'Count from this day or this long ago: `2026-01-31`, `7d`, `12h`' -r
complete -c mimi -n "__fish_mimi_using_subcommand usage" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand usage" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand usage" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand usage" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand usage" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand usage" -l json -d 'Print a JSON array of the rows'
complete -c mimi -n "__fish_mimi_using_subcommand usage" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand usage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -f -a "stats" -d 'Show how much is kept, of which model'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and not __fish_seen_subcommand_from stats clear" -f -a "clear" -d 'Delete all that is kept'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -l json -d 'Print a JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand cache; and __fish_seen_subcommand_from clear" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -l json -d 'Print the rows as JSON'
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -l quick -d 'Ask the model nothing: only look whether everything is there'
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -l egress -d 'List what would be connected to, by whom and what for; connect to nothing'
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand status" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand status" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand status" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand status" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand status" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand status" -l json -d 'Print everything as one JSON object'
complete -c mimi -n "__fish_mimi_using_subcommand status" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand completions" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand completions" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand completions" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand completions" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand completions" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand completions" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mimi -n "__fish_mimi_using_subcommand man" -l dir -d 'Write mimi.1 and a page for each command into this folder instead of printing mimi.1' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand man" -s C -l cwd -d 'Work in this folder' -r -f -a "(__fish_complete_directories)"
complete -c mimi -n "__fish_mimi_using_subcommand man" -s m -l model -d 'Use this model: `MODEL` or `PROVIDER/MODEL`' -r
complete -c mimi -n "__fish_mimi_using_subcommand man" -l set -d 'Set a configuration value: `agent.max_steps=20`' -r
complete -c mimi -n "__fish_mimi_using_subcommand man" -l trust-project -d 'Trust the project\'s own settings for this once, if they are those with this hash' -r
complete -c mimi -n "__fish_mimi_using_subcommand man" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mimi -n "__fish_mimi_using_subcommand man" -s q -l quiet -d 'Say only what was asked for: no progress, no notes'
complete -c mimi -n "__fish_mimi_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
