//! Made-up names from many places, so that nobody mistakes a name for ASCII. No two people share one.

/// First names, as shown and as they stand in an address.
const FIRST: [(&str, &str); 48] = [
    ("Ada", "ada"),
    ("Amina", "amina"),
    ("Anaïs", "anais"),
    ("André", "andre"),
    ("Astrid", "astrid"),
    ("Aylin", "aylin"),
    ("Bao", "bao"),
    ("Beatriz", "beatriz"),
    ("Bogdan", "bogdan"),
    ("Chidi", "chidi"),
    ("Chloé", "chloe"),
    ("Dalia", "dalia"),
    ("Diego", "diego"),
    ("Dmitri", "dmitri"),
    ("Eilidh", "eilidh"),
    ("Elif", "elif"),
    ("Esther", "esther"),
    ("Fatou", "fatou"),
    ("Fernão", "fernao"),
    ("Freya", "freya"),
    ("Giulia", "giulia"),
    ("Gustav", "gustav"),
    ("Hana", "hana"),
    ("Hiroshi", "hiroshi"),
    ("Ifeoma", "ifeoma"),
    ("Ilse", "ilse"),
    ("Imani", "imani"),
    ("Ivan", "ivan"),
    ("Jin", "jin"),
    ("José", "jose"),
    ("Kavya", "kavya"),
    ("Kofi", "kofi"),
    ("Lars", "lars"),
    ("Leilani", "leilani"),
    ("Lucía", "lucia"),
    ("Łukasz", "lukasz"),
    ("Mehmet", "mehmet"),
    ("Mei", "mei"),
    ("Miriam", "miriam"),
    ("Nadia", "nadia"),
    ("Ngozi", "ngozi"),
    ("Olena", "olena"),
    ("Priya", "priya"),
    ("Rahul", "rahul"),
    ("Sione", "sione"),
    ("Søren", "soren"),
    ("Tomás", "tomas"),
    ("Zoë", "zoe"),
];

/// Last names, likewise. Their number shares no factor with that of the first names, so counting through both lists at once
/// meets every pair before the first one comes again.
const LAST: [(&str, &str); 49] = [
    ("Abebe", "abebe"),
    ("Adeyemi", "adeyemi"),
    ("Andersson", "andersson"),
    ("Aziz", "aziz"),
    ("Bakker", "bakker"),
    ("Bianchi", "bianchi"),
    ("Castro", "castro"),
    ("Chen", "chen"),
    ("Cohen", "cohen"),
    ("Costa", "costa"),
    ("Dvořák", "dvorak"),
    ("Eriksen", "eriksen"),
    ("Fernández", "fernandez"),
    ("Fischer", "fischer"),
    ("Gómez", "gomez"),
    ("Haddad", "haddad"),
    ("Hansen", "hansen"),
    ("Ito", "ito"),
    ("Ivanova", "ivanova"),
    ("Jansen", "jansen"),
    ("Kaya", "kaya"),
    ("Kim", "kim"),
    ("Kowalska", "kowalska"),
    ("Kumar", "kumar"),
    ("Laurent", "laurent"),
    ("Levy", "levy"),
    ("Lindqvist", "lindqvist"),
    ("Mbeki", "mbeki"),
    ("Moreau", "moreau"),
    ("Müller", "mueller"),
    ("Murphy", "murphy"),
    ("Nakamura", "nakamura"),
    ("Nguyen", "nguyen"),
    ("Novak", "novak"),
    ("O’Brien", "obrien"),
    ("Okafor", "okafor"),
    ("Osei", "osei"),
    ("Papadopoulos", "papadopoulos"),
    ("Petrov", "petrov"),
    ("Popescu", "popescu"),
    ("Rossi", "rossi"),
    ("Santos", "santos"),
    ("Sharma", "sharma"),
    ("Silva", "silva"),
    ("Tanaka", "tanaka"),
    ("Tūhoe", "tuhoe"),
    ("Wang", "wang"),
    ("Yılmaz", "yilmaz"),
    ("Zhou", "zhou"),
];

/// The name and e-mail address of a person: always the same for the same number.
pub(super) fn person(number: usize) -> (String, String) {
    let ((first, first_mail), (last, last_mail)) =
        (FIRST[number % FIRST.len()], LAST[number % LAST.len()]);
    let round = number / (FIRST.len() * LAST.len());
    if round == 0 {
        return (format!("{first} {last}"), format!("{first_mail}.{last_mail}@example.com"));
    }
    let nth = round + 1;
    (format!("{first} {last} {nth}"), format!("{first_mail}.{last_mail}{nth}@example.com"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ten_thousand_people_have_ten_thousand_addresses() {
        let addresses: HashSet<String> = (0..10_000).map(|number| person(number).1).collect();
        assert_eq!(addresses.len(), 10_000);
        assert!(addresses.iter().all(|address| address.is_ascii()));
    }
}
