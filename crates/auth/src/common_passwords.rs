//! Passwords that attackers try first. Only those of at least 12 bytes: shorter ones are refused anyway.

/// The reason why a password is weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// It is on the list of common passwords.
    Common,
    /// It repeats a group of at most four characters.
    Repetition,
    /// It consists of runs along the alphabet, the digits or the keyboard.
    Run,
}

/// The longest group whose repetition is refused, in characters.
const LONGEST_GROUP: usize = 4;

/// The shortest run, in characters. Shorter ones occur in every word.
const SHORTEST_RUN: usize = 3;

/// The rows along which runs go: forwards and backwards, and from the end on to the beginning.
const RUNS: [&str; 14] = [
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    // The rows of the keyboard, American, German and French.
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü+",
    "asdfghjklöä#",
    "yxcvbnm,.-",
    "azertyuiop",
    "qsdfghjklm",
    "!@#$%^&*()_+",
    "!\"§$%&/()=?",
    // The columns of the keyboard, one after the other and in zigzag.
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Common passwords in lower case, sorted. Those that the rules above refuse are not listed.
const COMMON: [&str; 155] = [
    "123456789password",
    "123456password",
    "123456qwerty!",
    "12345password",
    "1password1password",
    "aa123456789a",
    "aaaaaa123456",
    "abcdef123456!",
    "access granted",
    "admin1234567",
    "admin12345678",
    "admin123admin",
    "admin@123456",
    "adminadminadmin1",
    "administrator",
    "administrator1",
    "administrator123",
    "alexander123",
    "anthony12345",
    "babygirl1234",
    "barcelona123",
    "baseball1234",
    "basketball12",
    "basketball123",
    "beautiful123",
    "blink182blink182",
    "butterfly123",
    "california12",
    "california123",
    "changeme123!",
    "changeme1234",
    "changeme12345",
    "changemenow!",
    "changemeplease",
    "charlie12345",
    "chelsea12345",
    "chocolate123",
    "christopher1",
    "christopher123",
    "computer1234",
    "contraseña123",
    "correcthorsebatterystaple",
    "default12345",
    "defaultpassword",
    "diamond12345",
    "dragon123456",
    "elizabeth123",
    "facebook1234",
    "firstname.lastname",
    "football1234",
    "football12345",
    "forgetmenot1",
    "forgotpassword",
    "freedom12345",
    "fuckyou12345",
    "fuckyoufuckyou",
    "galatasaray1",
    "godisgood123",
    "google123456",
    "hellohello12",
    "helloworld12",
    "helloworld123",
    "helloworld123!",
    "helloworld1234",
    "iamthebest123",
    "ihateyou1234",
    "iloveyou1234",
    "iloveyou12345",
    "iloveyou123456",
    "iloveyou2026",
    "iloveyoubaby",
    "iloveyouforever",
    "iloveyousomuch",
    "internet1234",
    "jennifer1234",
    "jesuschrist1",
    "jesuslovesme",
    "jonathan1234",
    "justinbieber",
    "justinbieber1",
    "letmein12345",
    "letmein123456",
    "letmeinletmein",
    "letmeinplease",
    "linkedin1234",
    "liverpool123",
    "liverpoolfc1",
    "lovelovelove1",
    "manchester123",
    "manchesterunited",
    "master123456",
    "michael12345",
    "michelle1234",
    "minecraft123",
    "monkey123456",
    "motherfucker",
    "mustang12345",
    "mypassword12",
    "mypassword123",
    "mypassword1234",
    "newpassword1",
    "newpassword123",
    "nopassword123",
    "p4ssw0rd1234",
    "p@ssw0rd123!",
    "p@ssw0rd1234",
    "p@ssw0rd2024",
    "p@ssw0rd2025",
    "p@ssw0rd2026",
    "p@ssword123!",
    "p@ssword1234",
    "pa$$word1234",
    "pass12345678",
    "pass123456789",
    "passw0rd123!",
    "passw0rd1234",
    "passw0rdpassw0rd",
    "password1!password",
    "password123!",
    "password1234",
    "password1234!",
    "password12345",
    "password123456",
    "password1234567",
    "password12345678",
    "password123456789",
    "password2024",
    "password2024!",
    "password2025",
    "password2025!",
    "password2026",
    "password2026!",
    "password@123",
    "passwordpassword",
    "passwordpassword1",
    "pokemon12345",
    "princess1234",
    "qwerty12345!",
    "qwerty123456!",
    "qwertyuiop1!",
    "rootrootroot1",
    "samsung12345",
    "secret123456",
    "spiderman123",
    "starwars1234",
    "summer2025!!",
    "sunshine1234",
    "superman1234",
    "test12345678",
    "thisismypassword",
    "trailkeeper1",
    "trailkeeper123",
    "trustno1trustno1",
    "welcome12345",
    "welcome123456",
];

/// The weakness of a password, if it has one. `folded` is the password in lower case.
pub(crate) fn weakness_of(folded: &str) -> Option<Weakness> {
    let characters: Vec<char> = folded.chars().collect();
    if repeats(&characters) {
        Some(Weakness::Repetition)
    } else if is_made_of_runs(&characters) {
        Some(Weakness::Run)
    } else if COMMON.contains(&folded) {
        Some(Weakness::Common)
    } else {
        None
    }
}

fn repeats(characters: &[char]) -> bool {
    (1..=LONGEST_GROUP).any(|group| characters.iter().zip(characters.iter().skip(group)).all(|(a, b)| a == b))
}

/// Whether the text consists only of runs: `qwerty123456` is two of them, and as weak as one.
fn is_made_of_runs(characters: &[char]) -> bool {
    let mut rest = characters;
    while !rest.is_empty() {
        let longest = RUNS.into_iter().map(|along| run_length(rest, along)).max().unwrap_or(0);
        match rest.get(longest..) {
            Some(remainder) if longest >= SHORTEST_RUN => rest = remainder,
            _ => return false,
        }
    }
    true
}

/// The number of characters at the beginning that are steps in one direction along the row.
fn run_length(characters: &[char], along: &str) -> usize {
    let row: Vec<char> = along.chars().collect();
    let position = |wanted: char| row.iter().position(|c| *c == wanted);
    let positions: Vec<usize> = characters.iter().map_while(|c| position(*c)).collect();
    let steps = |step: usize| {
        let pairs = positions.iter().zip(positions.iter().skip(1));
        1 + pairs.take_while(|(a, b)| (*a + step) % row.len() == **b).count()
    };
    if positions.is_empty() { 0 } else { steps(1).max(steps(row.len() - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_only_what_the_rules_accept() {
        assert!(COMMON.is_sorted());
        for password in COMMON {
            assert!(password.len() >= crate::password::MIN_BYTES, "{password} is refused anyway");
            assert_eq!(password, password.to_lowercase());
            assert_eq!(weakness_of(password), Some(Weakness::Common), "{password}");
        }
    }

    #[test]
    fn repetitions_and_runs_are_found_and_words_are_not() {
        for repeated in ["xxxxxxxxxxxx", "ababababababa", "äöüäöüäöü", "a1b!a1b!a1b!a1"] {
            assert_eq!(weakness_of(repeated), Some(Weakness::Repetition), "{repeated}");
        }
        for run in [
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "uvwxyzabcdef",
            "123456789012345",
            "098765432109",
            "qwertyuiop[]",
            "qwertzuiopasdf",
            "1qaz2wsx3edc",
            "1q2w3e4r5t6y",
            "qwerty123456",
            "abc123abc123",
            "!@#$%^&*()_+",
            "asdfghjkl123",
        ] {
            assert_eq!(weakness_of(run), Some(Weakness::Run), "{run}");
        }
        for good in ["correct horse battery", "abcdefghijkl.", "qwerty and 12", "abcdeabcdeabcde!", "twelve bytes"] {
            assert_eq!(weakness_of(good), None, "{good}");
        }
    }
}
